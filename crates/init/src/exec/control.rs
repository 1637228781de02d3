//! The caller's frames: standard input, terminal size, signals, and the end that cancels.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use rustix::process::Signal;
use smartbox_link::frame::Frame;
use smartbox_link::wire::TtySize;
use tokio::sync::{mpsc, oneshot};

use crate::process::Port;

/// What is left of the request after the order, and what fires when the caller cancels beside it.
pub(crate) struct Caller {
    pub(crate) body: Incoming,
    pub(crate) buffer: BytesMut,
    pub(crate) cancelled: oneshot::Receiver<()>,
}

/// What the runner acts on.
pub(crate) enum Word {
    Resize(TtySize),
    Signal(Signal),
}

/// Standard input's next piece; `None` is its end.
pub(crate) type Piece = Option<Bytes>;

/// The next frame; `None` at the end of the request.
pub(crate) async fn next(
    body: &mut Incoming,
    buffer: &mut BytesMut,
) -> Result<Option<Frame>, String> {
    loop {
        if let Some(frame) = Frame::decode(buffer).map_err(|e| e.to_string())? {
            return Ok(Some(frame));
        }
        match body.frame().await {
            None => return Ok(None),
            Some(Err(e)) => return Err(e.to_string()),
            Some(Ok(part)) => {
                if let Ok(data) = part.into_data() {
                    buffer.extend_from_slice(&data);
                }
            }
        }
    }
}

/// Reads frames until the request ends, which drops `alive` and so cancels the command.
///
/// A command that does not read its input holds back the frames behind sixteen pieces.
pub(crate) async fn listen(
    mut body: Incoming,
    mut buffer: BytesMut,
    pieces: mpsc::Sender<Piece>,
    words: mpsc::Sender<Word>,
    alive: oneshot::Sender<()>,
) {
    while let Ok(Some(frame)) = next(&mut body, &mut buffer).await {
        // A receiver that is gone means that the command no longer reads; the rest is read past.
        match frame {
            Frame::Stdin(bytes) => drop(pieces.send(Some(bytes)).await),
            Frame::StdinEnd => drop(pieces.send(None).await),
            Frame::Resize(size) => drop(words.send(Word::Resize(size)).await),
            Frame::Signal(number) => {
                if let Some(signal) = Signal::from_named_raw(number) {
                    let _ = words.send(Word::Signal(signal)).await;
                }
            }
            _ => break,
        }
    }
    drop(alive);
}

/// Writes standard input until its end, or until the command closes it.
pub(crate) async fn feed(port: Arc<Port>, mut pieces: mpsc::Receiver<Piece>, tty: bool) {
    /// What a terminal takes for the end of input.
    const END_OF_TRANSMISSION: &[u8] = &[4];
    while let Some(Some(bytes)) = pieces.recv().await {
        if port.write_all(&bytes).await.is_err() {
            return;
        }
    }
    if tty {
        let _ = port.write_all(END_OF_TRANSMISSION).await;
    }
}
