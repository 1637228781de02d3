//! One end of a relay: what came from it and is not looked at yet, what goes to it and is not
//! written yet.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;

use crate::ws::frame::Reader;

/// Above this the other end is not read.
pub(crate) const HIGH: usize = 128 * 1024;
const READ: usize = 16 * 1024;

/// What happened at one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Bytes came.
    Read,
    /// So much was written that there is room again.
    Room,
    /// The end closed or broke.
    Ended,
}

#[derive(Debug)]
pub(crate) struct Half<S> {
    io: S,
    pub(crate) reader: Reader,
    pub(crate) input: BytesMut,
    pub(crate) output: BytesMut,
    unflushed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Half<S> {
    pub(crate) fn new(io: S, reader: Reader) -> Self {
        Self { io, reader, input: BytesMut::new(), output: BytesMut::new(), unflushed: false }
    }

    /// Puts bytes behind what waits to be written.
    pub(crate) fn push(&mut self, bytes: BytesMut) {
        if self.output.is_empty() {
            self.output = bytes;
        } else {
            self.output.extend_from_slice(&bytes);
        }
    }

    /// Writes and reads what it can, each only if it may.
    pub(crate) fn poll_turn(
        &mut self,
        cx: &mut Context<'_>,
        read: bool,
        write: bool,
    ) -> Poll<Turn> {
        let full = self.output.len() >= HIGH;
        if write && matches!(self.poll_out(cx), Poll::Ready(Err(_))) {
            return Poll::Ready(Turn::Ended);
        }
        if full && self.output.len() < HIGH {
            return Poll::Ready(Turn::Room);
        }
        if !read {
            return Poll::Pending;
        }
        self.input.reserve(READ);
        poll_read_buf(Pin::new(&mut self.io), cx, &mut self.input).map(|read| match read {
            Ok(0) | Err(_) => Turn::Ended,
            Ok(_) => Turn::Read,
        })
    }

    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            match Pin::new(&mut self.io).poll_write(cx, &self.output) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(n)) => {
                    self.output.advance(n);
                    self.unflushed = true;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.unflushed {
            std::task::ready!(Pin::new(&mut self.io).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes all that waits, says that no more will come, and reads on until the other end has
    /// understood; otherwise the last frame could be lost with the connection.
    pub(crate) async fn end(mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_out(cx)).await?;
        std::future::poll_fn(|cx| Pin::new(&mut self.io).poll_shutdown(cx)).await?;
        loop {
            self.input.clear();
            self.input.reserve(READ);
            let (io, input) = (&mut self.io, &mut self.input);
            let read = std::future::poll_fn(|cx| poll_read_buf(Pin::new(&mut *io), cx, input));
            if read.await? == 0 {
                return Ok(());
            }
        }
    }
}
