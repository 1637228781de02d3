//! `POST /api/v1/boxes/{name}/exec`: runs a command, streaming both ways; see `smartbox_api::exec`.
//!
//! The command lives as long as the answer is read: when the caller goes away, hyper drops the
//! answer's body, and with it the command is killed. The request's body ending early does the same.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use smartbox_api::exec::{ExecFrames, Frame, MEDIA_TYPE};
use smartbox_api::problem::Code;
use smartbox_control::{ControlError, Running};
use smartbox_link::client::LinkError;
use tokio_util::task::AbortOnDropHandle;

use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// How long the first frame may take to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an answer that is complete waits for its caller to have finished speaking.
const PARTING: Duration = Duration::from_secs(2);

/// Runs a command in the box, streaming both ways.
///
/// The request's body is frames, the first of which is the order; the answer's body is frames too,
/// the last of which says how the command ended. It lives as long as the answer is read. Wakes the
/// box.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/exec",
    tag = "exec",
    request_body(content = ExecFrames, content_type = "application/vnd.smartbox.exec"),
    responses((status = 200, body = ExecFrames, content_type = "application/vnd.smartbox.exec",
        description = "The command runs.")),
)]
pub(super) async fn post(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let mut input = Input { body: request.into_body().into_data_stream(), buffer: BytesMut::new() };
    let first = tokio::time::timeout(PATIENCE, input.next()).await.ok().flatten();
    let Some(Frame::Order(order)) = first else {
        let hint = "send an order as the first frame";
        return Err(Trouble::new(Code::BadRequest, "the body does not begin with an order", hint));
    };
    let running = app.control.exec(&who.actor, &row.id, *order).await?;
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], output(running, input)).into_response())
}

/// Frames that the caller sends.
struct Input {
    body: BodyDataStream,
    buffer: BytesMut,
}

impl Input {
    /// The next frame; `None` at the end, and for bytes that are none.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = Frame::decode(&mut self.buffer).ok()? {
                return Some(frame);
            }
            self.buffer.extend_from_slice(&self.body.next().await?.ok()?);
        }
    }
}

struct Output {
    running: Running,
    /// Ends when the caller's side ends.
    feeding: AbortOnDropHandle<()>,
    over: bool,
}

fn output(running: Running, mut input: Input) -> Body {
    let to = running.exec.input.clone();
    let feeding = AbortOnDropHandle::new(tokio::spawn(async move {
        while let Some(frame) = input.next().await {
            let theirs = matches!(
                frame,
                Frame::Stdin(_) | Frame::StdinEnd | Frame::Resize(_) | Frame::Signal(_)
            );
            if !theirs {
                return;
            }
            // A command that has ended takes no more; what its caller still says is read all the same.
            let _ = to.send(frame).await;
        }
    }));
    let output = Output { running, feeding, over: false };
    Body::from_stream(stream::unfold(output, |mut output| async move {
        let frame = output.next().await?;
        Some((frame, output))
    }))
}

impl Output {
    /// The next frame of the command. `None` after the last, or once the caller's side has ended.
    async fn next(&mut self) -> Option<Result<Bytes, ControlError>> {
        if self.over {
            // An answer that ends before its request closes the connection, and a caller who is
            // just sending then loses the last frames, though they were sent.
            let _ = tokio::time::timeout(PARTING, &mut self.feeding).await;
            return None;
        }
        let frame = tokio::select! {
            biased;
            frame = self.running.exec.next() => match frame {
                Ok(frame) => frame?,
                Err(error) => {
                    self.over = true;
                    return Some(Ok(bytes(&broken(&error))));
                }
            },
            _ = &mut self.feeding => return None,
        };
        self.over = matches!(frame, Frame::Exit(_) | Frame::Failed(_));
        Some(Ok(bytes(&frame)))
    }
}

/// The link broke in the middle: the caller must not take that for the command's own end.
fn broken(error: &LinkError) -> Frame {
    tracing::warn!(%error, "the link broke while a command ran");
    Frame::Failed(format!("the connection to the command broke: {error}"))
}

fn bytes(frame: &Frame) -> Bytes {
    let mut out = BytesMut::new();
    frame.encode(&mut out);
    out.freeze()
}
