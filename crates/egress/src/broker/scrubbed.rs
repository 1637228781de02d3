//! What comes back from a host that may have been sent a secret: it passes through the filter.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body as _, Frame};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::body::{Broken, Passing};
use super::secrets::Filter;
use crate::scrub::{self, Coding, Window};

/// Bytes that are read of a stream at once.
const PIECE: usize = 16 << 10;

/// The body of an answer.
pub(crate) struct Scrubbed {
    passing: Passing,
    filter: Arc<Filter>,
    body: scrub::Body,
    /// What comes after the last of the body.
    trailers: Option<HeaderMap>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Body,
    Trailers,
    Over,
}

impl Scrubbed {
    pub(crate) fn new(passing: Passing, coding: Coding, filter: Arc<Filter>) -> Self {
        let body = scrub::Body::new(coding, &filter.scrub);
        Self { passing, filter, body, trailers: None, state: State::Body }
    }

    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            match self.state {
                State::Over => return Poll::Ready(None),
                State::Trailers => {
                    self.state = State::Over;
                    if let Some(trailers) = self.trailers.take() {
                        return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                    }
                }
                State::Body => {
                    if let Some(portion) = self.body.portion()? {
                        return Poll::Ready(Some(Ok(Frame::data(portion))));
                    }
                    match ready!(Pin::new(&mut self.passing).poll_frame(cx)).transpose()? {
                        Some(frame) => self.take(frame),
                        None => {
                            self.state = State::Trailers;
                            let rest = self.body.end()?;
                            if !rest.is_empty() {
                                return Poll::Ready(Some(Ok(Frame::data(rest))));
                            }
                        }
                    }
                }
            }
        }
    }

    fn take(&mut self, frame: Frame<Bytes>) {
        match frame.into_data() {
            Ok(piece) => self.body.feed(piece),
            Err(frame) => {
                if let Ok(mut trailers) = frame.into_trailers() {
                    self.filter.scrub.headers(&mut trailers);
                    self.trailers = Some(trailers);
                }
            }
        }
    }
}

/// How long the end of what came is held when nothing follows. It may be the beginning of a value, or
/// the end of a message that somebody waits for.
const HOLD: Duration = Duration::from_millis(100);

/// A stream of another protocol, filtered on its way to the box.
pub(crate) struct Filtered<S> {
    stream: S,
    window: Window,
    /// Filtered, and not read yet.
    out: Bytes,
    ended: bool,
    /// When what is held is given.
    held: Option<Pin<Box<Sleep>>>,
    _filter: Arc<Filter>,
}

impl<S> Filtered<S> {
    pub(crate) fn new(stream: S, filter: Arc<Filter>) -> Self {
        let window = filter.scrub.window();
        Self { stream, window, out: Bytes::new(), ended: false, held: None, _filter: filter }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Filtered<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.out.is_empty() {
                let n = this.out.len().min(buf.remaining());
                buf.put_slice(&this.out[..n]);
                this.out.advance(n);
                return Poll::Ready(Ok(()));
            }
            if this.ended {
                return Poll::Ready(Ok(()));
            }
            let mut piece = vec![0; PIECE];
            let mut read = ReadBuf::new(&mut piece);
            if Pin::new(&mut this.stream).poll_read(cx, &mut read)?.is_pending() {
                if !this.window.holds() {
                    return Poll::Pending;
                }
                let held = this.held.get_or_insert_with(|| Box::pin(sleep(HOLD)));
                ready!(held.as_mut().poll(cx));
                this.held = None;
                this.out = this.window.rest();
                continue;
            }
            this.held = None;
            let n = read.filled().len();
            this.ended = n == 0;
            piece.truncate(n);
            this.out = if this.ended { this.window.rest() } else { this.window.pass(piece.into()) };
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Filtered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
