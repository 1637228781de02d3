//! The body of a request on its way to the engine: counted, and cut when it is too long or stalls.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::asked::Asked;
use crate::problem::Refusal;
use crate::settings::Limits;

/// Why a body was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    #[error("the request's body is too large")]
    TooLarge,
    #[error("the request's body stalled")]
    Stalled,
    #[error("the request's body broke off")]
    Broken,
}

impl Cut {
    pub(crate) fn refusal(self) -> Refusal {
        match self {
            Self::TooLarge => Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "This is more than the smartbox takes in one request.",
                "Send it in smaller pieces.",
            ),
            Self::Stalled => Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                "body-stalled",
                "The request's body did not arrive in time.",
                "Try again.",
            ),
            Self::Broken => Refusal::bad_request("The request's body broke off."),
        }
    }
}

/// Says afterwards why a body was cut, if it was. Nothing is allocated for requests without one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict(Option<Arc<AtomicU8>>);

impl Verdict {
    pub(crate) fn cut(&self) -> Option<Cut> {
        match self.0.as_ref()?.load(Ordering::Acquire) {
            1 => Some(Cut::TooLarge),
            2 => Some(Cut::Stalled),
            3 => Some(Cut::Broken),
            _ => None,
        }
    }

    fn record(&self, cut: Cut) -> Cut {
        if let Some(cell) = &self.0 {
            cell.store(
                match cut {
                    Cut::TooLarge => 1,
                    Cut::Stalled => 2,
                    Cut::Broken => 3,
                },
                Ordering::Release,
            );
        }
        cut
    }
}

/// The body toward the engine.
pub(crate) struct Upload {
    body: Option<Asked>,
    left: u64,
    pause: Duration,
    stall: Option<Pin<Box<Sleep>>>,
    verdict: Verdict,
}

impl Upload {
    /// Refuses a body whose length is known to be too much.
    pub(crate) fn new(body: Asked, limits: &Limits) -> Result<(Self, Verdict), Cut> {
        if body.is_end_stream() {
            return Ok((Self::empty(), Verdict::default()));
        }
        if body.size_hint().lower() > limits.body_bytes {
            return Err(Cut::TooLarge);
        }
        let verdict = Verdict(Some(Arc::default()));
        let upload = Self {
            body: Some(body),
            left: limits.body_bytes,
            pause: limits.body_pause,
            stall: None,
            verdict: verdict.clone(),
        };
        Ok((upload, verdict))
    }

    pub(crate) fn empty() -> Self {
        Self {
            body: None,
            left: 0,
            pause: Duration::ZERO,
            stall: None,
            verdict: Verdict::default(),
        }
    }

    fn stalled(&mut self, cx: &mut Context<'_>) -> bool {
        let pause = self.pause;
        self.stall
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)))
            .as_mut()
            .poll(cx)
            .is_ready()
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        loop {
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            let frame = match Pin::new(body).poll_frame(cx) {
                Poll::Pending if self.stalled(cx) => {
                    return Poll::Ready(Some(Err(self.verdict.record(Cut::Stalled))));
                }
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(_))) => {
                    return Poll::Ready(Some(Err(self.verdict.record(Cut::Broken))));
                }
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            // Trailers could carry what is refused in headers; the engine gets none.
            let Ok(data) = frame.into_data() else { continue };
            let pause = self.pause;
            if let Some(stall) = &mut self.stall {
                stall.as_mut().reset(Instant::now() + pause);
            }
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            let Some(left) = self.left.checked_sub(length) else {
                return Poll::Ready(Some(Err(self.verdict.record(Cut::TooLarge))));
            };
            self.left = left;
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
