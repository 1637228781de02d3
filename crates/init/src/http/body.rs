//! Bodies of answers: bytes at hand, or what comes through a channel.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use smartbox_link::frame::Frame as Word;
use tokio::sync::mpsc;

/// An answer's body. Dropping one that comes through a channel tells its sender.
pub(crate) enum Answer {
    Whole(Option<Bytes>),
    Pieces(mpsc::Receiver<Bytes>),
    Words(mpsc::Receiver<Word>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take()),
            Self::Pieces(pieces) => pieces.poll_recv(cx),
            Self::Words(words) => words.poll_recv(cx).map(|word| word.map(|word| encoded(&word))),
        };
        next.map(|next| next.map(|bytes| Ok(Frame::data(bytes))))
    }
}

fn encoded(word: &Word) -> Bytes {
    let mut out = BytesMut::new();
    word.encode(&mut out);
    out.freeze()
}
