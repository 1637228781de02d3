//! The byte stream to an engine, with a budget for what a hostile box may send before its answer
//! has a head: endless headers and floods of interim responses end here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use smartbox_core::sandbox::port::Conn;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much may still be read; shared with whoever sends requests on the stream.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<AtomicUsize>);

impl Budget {
    pub(crate) fn set(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn lift(&self) {
        self.set(usize::MAX);
    }
}

/// Bytes asked for at least and at most in one read. What is asked for must be zeroed first, so
/// it follows what comes.
const ASK: (usize, usize) = (2 * 1024, 64 * 1024);

/// A [`Conn`] as tokio and hyper want it.
pub(crate) struct Wire {
    conn: Conn,
    budget: Budget,
    ask: usize,
}

impl Wire {
    pub(crate) fn new(conn: Conn, bytes: usize) -> (Self, Budget) {
        let budget = Budget(Arc::new(AtomicUsize::new(bytes)));
        (Self { conn, budget: budget.clone(), ask: ASK.0 }, budget)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.budget.0.load(Ordering::Relaxed);
        if left == 0 {
            return Poll::Ready(Err(io::Error::other("too much before the response's head")));
        }
        let this = &mut *self;
        let ask = this.ask.min(buf.remaining()).min(left);
        let read = ready!(this.conn.as_mut().poll_read(cx, buf.initialize_unfilled_to(ask)))?;
        buf.advance(read);
        if read == this.ask {
            this.ask = (ask * 4).min(ASK.1);
        } else if read < this.ask / 4 {
            this.ask = (this.ask / 2).max(ASK.0);
        }
        if left != usize::MAX {
            this.budget.set(left - read);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.conn.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.conn.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.conn.as_mut().poll_close(cx)
    }
}
