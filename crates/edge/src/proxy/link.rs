//! One HTTP/1.1 connection to an engine. It is driven by whoever uses it, in the same task as the
//! client's connection: no task of its own, no hop between threads per request.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use smartbox_core::sandbox::port::Conn;

use crate::proxy::bell::Bell;
use crate::proxy::upload::Upload;
use crate::proxy::wire::{Budget, Wire};
use crate::settings::Limits;

/// Bytes read at once from an engine.
const READ: usize = 64 * 1024;
/// hyper's own limit, for which it needs no memory of its own.
pub(crate) const DEFAULT_HEADERS: usize = 100;

pub(crate) struct Link {
    sender: SendRequest<Upload>,
    conn: Connection<TokioIo<Wire>, Upload>,
    over: bool,
    bell: Bell,
    budget: Budget,
    head_bytes: usize,
    /// Whether a request has been answered on it before.
    pub(crate) used: bool,
}

/// The settings of HTTP/1.1 toward an engine.
pub(crate) fn builder(limits: &Limits) -> Builder {
    let mut builder = Builder::new();
    builder.max_buf_size(limits.head_bytes.max(READ));
    if limits.headers != DEFAULT_HEADERS {
        builder.max_headers(limits.headers);
    }
    builder
}

impl Link {
    /// Opens a connection over a byte stream.
    pub(crate) async fn open(conn: Conn, limits: &Limits) -> Result<Box<Self>, hyper::Error> {
        // What hyper reads ahead of a head is part of the budget, so it has room for both.
        let head_bytes = limits.head_bytes.max(READ) * 2;
        let (wire, budget) = Wire::new(conn, head_bytes);
        let (sender, conn) = builder(limits).handshake(TokioIo::new(wire)).await?;
        let bell = Bell::new();
        Ok(Box::new(Self { sender, conn, over: false, bell, budget, head_bytes, used: false }))
    }

    /// Lets the connection read and write what it can, until `seen` has what it waits for. It is asked
    /// first, which tells the connection that it may go on.
    pub(crate) fn drive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut seen: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let Self { bell, conn, over, .. } = self;
        bell.look(cx, |cx| {
            let ready = seen(cx);
            if ready.is_ready() || *over {
                return ready;
            }
            *over = Pin::new(&mut *conn).poll(cx).is_ready();
            seen(cx)
        })
    }

    /// Whether it has ended. One that the engine closed while it was idle learns so from the next
    /// request, of which nothing is written then.
    pub(crate) fn over(&self) -> bool {
        self.over
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn send(
        &mut self,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Upload>>> {
        self.budget.set(self.head_bytes);
        let mut sent = pin!(self.sender.try_send_request(request));
        let response = poll_fn(|cx| self.drive(cx, |cx| sent.as_mut().poll(cx))).await?;
        self.budget.lift();
        self.used = true;
        Ok(response)
    }
}
