//! The byte stream to an engine, with a budget for what a hostile box may send before its answer
//! has a head: endless headers and floods of interim responses end here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use smartbox_core::sandbox::port::Conn;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _};

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

/// A [`Conn`] as tokio and hyper want it.
pub(crate) struct Wire {
    conn: Compat<Conn>,
    budget: Budget,
}

impl Wire {
    pub(crate) fn new(conn: Conn, bytes: usize) -> (Self, Budget) {
        let budget = Budget(Arc::new(AtomicUsize::new(bytes)));
        (Self { conn: conn.compat(), budget: budget.clone() }, budget)
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
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.conn).poll_read(cx, buf))?;
        if left != usize::MAX {
            self.budget.set(left.saturating_sub(buf.filled().len() - before));
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
        Pin::new(&mut self.conn).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.conn).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.conn).poll_shutdown(cx)
    }
}
