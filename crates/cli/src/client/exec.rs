//! A command in a box: frames both ways over one request.

use bytes::BytesMut;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame as Part, Incoming};
use smartbox_api::call;
use smartbox_api::exec::{self, Frame};
use tokio::sync::mpsc;

use super::Client;
use super::connect::Outgoing;
use crate::error::CliError;

/// A command that runs. Dropping it, or the sender of its frames, cancels and kills it.
pub(crate) struct Exec {
    body: Incoming,
    buffer: BytesMut,
}

impl Client {
    /// Starts a command; the first of `frames` is the order. Returns once the box is awake.
    pub(crate) async fn exec(
        &self,
        name: &str,
        frames: mpsc::Receiver<Frame>,
    ) -> Result<Exec, CliError> {
        let parts = stream::unfold(frames, async |mut frames| {
            let frame = frames.recv().await?;
            let mut out = BytesMut::new();
            frame.encode(&mut out);
            Some((Ok(Part::data(out.freeze())), frames))
        });
        let body: Outgoing = StreamBody::new(parts).boxed_unsync();
        let reply = self.send(&call::exec(name), Some((exec::MEDIA_TYPE, body))).await?;
        Ok(Exec { body: reply.into_body(), buffer: BytesMut::new() })
    }
}

impl Exec {
    /// The next frame. The stream's end is an error: it may only end after `Exit` or `Failed`.
    pub(crate) async fn next(&mut self) -> Result<Frame, CliError> {
        loop {
            let frame =
                Frame::decode(&mut self.buffer).map_err(|e| CliError::Garbled(e.to_string()))?;
            if let Some(frame) = frame {
                return Ok(frame);
            }
            match self.body.frame().await {
                None => return Err(CliError::Broken("the command's output ended early".into())),
                Some(Err(error)) => return Err(CliError::Broken(error.into())),
                Some(Ok(part)) => {
                    if let Some(data) = part.data_ref() {
                        self.buffer.extend_from_slice(data);
                    }
                }
            }
        }
    }
}
