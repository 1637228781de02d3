//! The body of a box's request: bounded in length, in the pauses between its pieces, and in all.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use crate::call::limits::Limits;
use crate::call::refuse::Refusal;

/// A request body that is being read.
pub(crate) struct Inbound {
    body: Incoming,
    limit: u64,
    left: u64,
    pause: Duration,
    deadline: Instant,
}

impl Inbound {
    /// Begins to read; a body that announces itself as too long is refused at once.
    pub(crate) fn new(body: Incoming, limits: &Limits) -> Result<Self, Refusal> {
        let this = Self {
            limit: limits.body,
            left: limits.body,
            pause: limits.pause,
            deadline: Instant::now() + limits.upload,
            body,
        };
        match this.body.size_hint().lower() {
            lower if lower > limits.body => Err(this.too_large()),
            _ => Ok(this),
        }
    }

    /// The length that is left, if the request told it.
    pub(crate) fn exact(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The next piece; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let until = self.deadline.min(Instant::now() + self.pause);
            let frame = timeout_at(until, self.body.frame()).await.map_err(|_| Refusal::Drip)?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|_| Refusal::Body("its body broke off".to_owned()))?;
            // Trailers are of no use to anyone here.
            let Ok(data) = frame.into_data() else { continue };
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            self.left = self.left.checked_sub(length).ok_or_else(|| self.too_large())?;
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
    }

    fn too_large(&self) -> Refusal {
        Refusal::TooLarge { mib: self.limit >> 20 }
    }
}
