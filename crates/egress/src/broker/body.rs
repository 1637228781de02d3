//! Bodies on their way: ours, and those that pass, which are counted and can be cut.

use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use smartbox_core::BoxFuture;
use smartbox_core::egress::Refusal;
pub(crate) use smartbox_core::egress::Way;

use super::limits::Place;
use super::meter::Meter;
use super::scrubbed::Scrubbed;
use crate::{scrub, swap};

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the connection broke off")]
    Hyper(#[from] hyper::Error),
    #[error("it is no longer allowed")]
    Cut,
    #[error("it holds the placeholder of a secret")]
    Secret,
    #[error(transparent)]
    Coded(#[from] scrub::Broken),
    #[error("the bytes of the day are used up")]
    Spent,
}

/// A body.
pub(crate) enum Body {
    /// Ours.
    Own(Option<Bytes>),
    /// One that passes.
    Passing(Passing),
    /// One that passes through a filter.
    Scrubbed(Box<Scrubbed>),
}

/// A body that passes.
pub(crate) struct Passing {
    pub(crate) body: Incoming,
    pub(crate) way: Way,
    pub(crate) meter: Arc<Mutex<Meter>>,
    /// Ends when it is no longer allowed.
    pub(crate) cut: Option<BoxFuture<'static, ()>>,
    /// Looks for what may not stand in it.
    pub(crate) watch: Option<Box<Watching>>,
    pub(crate) _place: Option<Place>,
}

/// Looks for placeholders in what a box sends.
pub(crate) struct Watching {
    pub(crate) watch: swap::Watch,
    pub(crate) host: String,
    /// What was found, for who answers the box.
    pub(crate) verdict: Arc<OnceLock<swap::Refusal>>,
}

/// About as many bytes as they are on the wire.
pub(crate) fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

impl Body {
    pub(crate) fn text(text: String) -> Self {
        Self::Own(Some(text.into()))
    }

    pub(crate) fn empty() -> Self {
        Self::Own(None)
    }
}

impl Passing {
    /// The piece may pass; if not, it must not, nor an end of the body: the host gets a request that
    /// was cut off.
    fn look(&mut self, piece: &[u8]) -> Result<(), Broken> {
        let Some(watching) = &mut self.watch else { return Ok(()) };
        watching.watch.pass(piece, &watching.host).map_err(|refusal| {
            let _ = watching.verdict.set(refusal);
            self.meter.lock().unwrap_or_else(PoisonError::into_inner).cut(Refusal::Secret);
            Broken::Secret
        })
    }
}

impl Passing {
    /// Counts a frame. If not all of it may pass: the last that may, or the end.
    fn count(&self, frame: &Frame<Bytes>) -> Option<Result<Frame<Bytes>, Broken>> {
        let bytes = frame.data_ref().map(Bytes::len).or_else(|| frame.trailers_ref().map(size))?;
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        let may = meter.pass(self.way, bytes);
        if may == bytes {
            return None;
        }
        let last = frame.data_ref().filter(|_| may > 0).map(|data| data.slice(..may));
        Some(last.map_or(Err(Broken::Spent), |last| Ok(Frame::data(last))))
    }
}

impl http_body::Body for Passing {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        if let Some(cut) = &mut this.cut
            && cut.as_mut().poll(cx).is_ready()
        {
            this.cut = None;
            if this.way == Way::Down {
                this.meter.lock().unwrap_or_else(PoisonError::into_inner).cut(Refusal::Denied);
            }
            return Poll::Ready(Some(Err(Broken::Cut)));
        }
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            if let Some(data) = frame.data_ref() {
                this.look(data)?;
            }
            if let Some(trailers) = frame.trailers_ref() {
                for value in trailers.values() {
                    this.look(value.as_bytes())?;
                }
            }
            if let Some(last) = this.count(frame) {
                return Poll::Ready(Some(last));
            }
        }
        polled.map_err(Broken::from)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.get_mut() {
            Self::Own(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Passing(passing) => Pin::new(passing).poll_frame(cx),
            Self::Scrubbed(scrubbed) => scrubbed.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) => bytes.is_none(),
            Self::Passing(passing) => passing.is_end_stream(),
            Self::Scrubbed(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Passing(passing) => passing.size_hint(),
            // Where it is coded it is longer once it is not; the head says no length then.
            Self::Scrubbed(_) => SizeHint::default(),
        }
    }
}
