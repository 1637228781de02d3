//! The answer on its way to the box: every piece as it comes, metered and scrubbed, cut when the
//! provider falls silent. Dropped when the box hangs up, which ends the call at the provider too.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::Response;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep};

use crate::call::scrub::Scrub;
use crate::meter::Meter;

/// What a box gets back.
pub(crate) type Reply = Response<UnsyncBoxBody<Bytes, Cut>>;

/// The bytes of an answer.
pub(crate) type Bytestream = Pin<Box<dyn Stream<Item = Result<Bytes, Cut>> + Send>>;

/// The answer broke off. The box sees a connection that ends amid the body, never one that looks
/// complete.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cut {
    /// The provider's connection broke.
    #[error("the provider broke the connection amid its answer")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The provider sent nothing for too long.
    #[error("the provider sent nothing for {0:?}")]
    Silent(Duration),
}

/// The body.
pub(crate) struct Relay {
    inner: Option<Bytestream>,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    scrub: Option<Scrub>,
    meter: Meter,
}

impl Relay {
    /// Relays `inner`; `idle` is how long it may be silent.
    pub(crate) fn new(
        inner: Bytestream,
        idle: Duration,
        scrub: Option<Scrub>,
        meter: Meter,
    ) -> Self {
        let timer = Box::pin(tokio::time::sleep(idle));
        Self { inner: Some(inner), idle, timer, waiting: false, scrub, meter }
    }

    fn rest(&mut self) -> Option<Result<Frame<Bytes>, Cut>> {
        self.inner = None;
        let rest = self.scrub.take()?.rest();
        (!rest.is_empty()).then(|| Ok(Frame::data(rest)))
    }

    fn cut(&mut self, cut: Cut) -> Cut {
        self.inner = None;
        tracing::warn!(error = %cut, "a model's answer was cut");
        cut
    }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = &mut *self;
        loop {
            let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
            match inner.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(piece))) => {
                    this.waiting = false;
                    this.meter.feed(&piece);
                    let piece = match &mut this.scrub {
                        Some(scrub) => scrub.pass(piece),
                        None => piece,
                    };
                    if !piece.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(piece))));
                    }
                }
                Poll::Ready(Some(Err(cut))) => return Poll::Ready(Some(Err(this.cut(cut)))),
                Poll::Ready(None) => return Poll::Ready(this.rest()),
                Poll::Pending => {
                    // Time that the box took to read is not the provider's silence.
                    if !this.waiting {
                        this.waiting = true;
                        this.timer.as_mut().reset(Instant::now() + this.idle);
                    }
                    ready!(this.timer.as_mut().poll(cx));
                    let cut = Cut::Silent(this.idle);
                    return Poll::Ready(Some(Err(this.cut(cut))));
                }
            }
        }
    }
}
