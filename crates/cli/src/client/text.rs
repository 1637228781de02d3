//! Replies of plain bytes, read as they come.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use smartbox_api::call::{self, Call};
use smartbox_api::log::NEXT_HEADER;

use super::Client;
use crate::error::CliError;

/// A reply of bytes.
pub(crate) struct Text {
    /// Where the bytes after this reply begin, if it has an end.
    pub(crate) next: Option<u64>,
    body: Incoming,
}

impl Client {
    /// Begins to read.
    pub(crate) async fn text(&self, call: &Call<call::Text>) -> Result<Text, CliError> {
        let reply = self.send(call, None).await?;
        let next = reply.headers().get(NEXT_HEADER).and_then(|v| v.to_str().ok()?.parse().ok());
        Ok(Text { next, body: reply.into_body() })
    }
}

impl Text {
    /// The next bytes; `None` at the end.
    pub(crate) async fn next_part(&mut self) -> Result<Option<Bytes>, CliError> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(CliError::Broken(error.into())),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}
