//! Bodies on their way: ours, and those that pass, which are counted and can be cut.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use smartbox_core::BoxFuture;

use super::limits::Place;
use super::meter::Meter;

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the connection broke off")]
    Hyper(#[from] hyper::Error),
    #[error("it is no longer allowed")]
    Cut,
}

/// A body.
pub(crate) enum Body {
    /// Ours.
    Own(Option<Bytes>),
    /// One that passes.
    Passing(Passing),
}

/// Which way it goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

/// A body that passes.
pub(crate) struct Passing {
    pub(crate) body: Incoming,
    pub(crate) way: Way,
    pub(crate) meter: Arc<Mutex<Meter>>,
    /// Ends when it is no longer allowed.
    pub(crate) cut: Option<BoxFuture<'static, ()>>,
    pub(crate) _place: Option<Place>,
}

impl Body {
    pub(crate) fn text(text: String) -> Self {
        Self::Own(Some(text.into()))
    }

    pub(crate) fn empty() -> Self {
        Self::Own(None)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let passing = match self.get_mut() {
            Self::Own(bytes) => return Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Passing(passing) => passing,
        };
        if let Some(cut) = &mut passing.cut
            && cut.as_mut().poll(cx).is_ready()
        {
            passing.cut = None;
            if passing.way == Way::Down {
                passing.meter.lock().unwrap_or_else(PoisonError::into_inner).cut();
            }
            return Poll::Ready(Some(Err(Broken::Cut)));
        }
        let polled = Pin::new(&mut passing.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let mut meter = passing.meter.lock().unwrap_or_else(PoisonError::into_inner);
            match passing.way {
                Way::Up => meter.up(data.len()),
                Way::Down => meter.down(data.len()),
            }
        }
        polled.map_err(Broken::from)
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) => bytes.is_none(),
            Self::Passing(passing) => passing.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Passing(passing) => passing.body.size_hint(),
        }
    }
}
