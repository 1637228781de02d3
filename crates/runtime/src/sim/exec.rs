//! The commands of a simulated sandbox: a handful that do what their names say, and any other one
//! writes its own arguments to standard output and succeeds.

use std::convert::Infallible;
use std::sync::PoisonError;

use bytes::{Bytes, BytesMut};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::{Frame as Part, Incoming};
use smartbox_link::frame::Frame;
use smartbox_link::wire::{ExecOrder, Exit};
use tokio::sync::mpsc;

use super::sandbox::{Commands, Sandbox};

/// Bytes of one frame of a flood.
const PIECE: usize = 32 << 10;

/// Runs a simulated command; it ends when its caller goes away or the sandbox ends.
pub(super) fn exec(body: Incoming, sandbox: &Sandbox) -> Response<BoxBody<Bytes, Infallible>> {
    let (answer, mut frames) = mpsc::channel::<Frame>(8);
    let (ended, begun) = (sandbox.ended().clone(), sandbox.commands.clone());
    tokio::spawn(async move {
        let gone = answer.clone();
        tokio::select! {
            () = play(Input { body, buffer: BytesMut::new() }, answer, &begun) => {}
            () = gone.closed() => {}
            () = ended.cancelled() => {}
        }
    });
    let parts = futures_util::stream::poll_fn(move |cx| {
        frames.poll_recv(cx).map(|frame| {
            let mut out = BytesMut::new();
            frame?.encode(&mut out);
            Some(Ok(Part::data(out.freeze())))
        })
    });
    Response::new(BodyExt::boxed(StreamBody::new(parts)))
}

/// The caller's frames.
struct Input {
    body: Incoming,
    buffer: BytesMut,
}

impl Input {
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = Frame::decode(&mut self.buffer).ok()? {
                return Some(frame);
            }
            let part = self.body.frame().await?.ok()?;
            self.buffer.extend_from_slice(&part.into_data().unwrap_or_default());
        }
    }
}

async fn play(mut input: Input, answer: mpsc::Sender<Frame>, begun: &Commands) {
    let last = match input.next().await {
        Some(Frame::Order(order)) => {
            let program = order.argv.first().cloned();
            begun.lock().unwrap_or_else(PoisonError::into_inner).extend(program);
            let Some(exit) = perform(&order, &mut input, &answer).await else { return };
            Frame::Exit(exit)
        }
        _ => Frame::Failed("the first frame is no order".into()),
    };
    let _ = answer.send(last).await;
}

/// Does what the order says. `None`: the caller is gone, or it never ends.
async fn perform(
    order: &ExecOrder,
    input: &mut Input,
    answer: &mpsc::Sender<Frame>,
) -> Option<Exit> {
    let words: Vec<&str> = order.argv.iter().map(String::as_str).collect();
    let code = |code| Exit { code: Some(code), ..Exit::default() };
    match words.as_slice() {
        // Repeats its input; a change of size and a signal are told of.
        ["cat"] => loop {
            let said = match input.next().await? {
                Frame::Stdin(bytes) => Frame::Stdout(bytes),
                Frame::Resize(size) => {
                    Frame::Stdout(format!("{} {}\n", size.rows, size.cols).into())
                }
                Frame::Signal(number) => return Some(Exit { signal: Some(number), ..code(0) }),
                _ => return Some(code(0)),
            };
            answer.send(said).await.ok()?;
        },
        // Says the other words and ends with that.
        ["fail", number, words @ ..] => {
            answer.send(Frame::Stdout(Bytes::from(words.join(" ")))).await.ok()?;
            Some(code(number.parse().unwrap_or(1)))
        }
        ["exit", number] => Some(code(number.parse().unwrap_or(1))),
        // Writes so many bytes to both outputs.
        ["flood", bytes] => {
            let mut left: usize = bytes.parse().unwrap_or(0);
            while left > 0 {
                let piece = Bytes::from(vec![b'x'; left.min(PIECE)]);
                left -= piece.len();
                answer.send(Frame::Stdout(piece.clone())).await.ok()?;
                answer.send(Frame::Stderr(piece)).await.ok()?;
            }
            Some(code(0))
        }
        // Heeds no deadline, as a hostile init would not.
        ["hang"] => std::future::pending().await,
        ["sleep", seconds] => {
            let asleep = std::time::Duration::from_secs(seconds.parse().unwrap_or(0));
            let limit = order.timeout_ms.map(std::time::Duration::from_millis);
            if let Some(limit) = limit.filter(|limit| *limit < asleep) {
                tokio::time::sleep(limit).await;
                return Some(Exit { signal: Some(9), timed_out: true, ..Exit::default() });
            }
            tokio::time::sleep(asleep).await;
            Some(code(0))
        }
        words => {
            answer.send(Frame::Stdout(Bytes::from(words.join(" ")))).await.ok()?;
            Some(code(0))
        }
    }
}
