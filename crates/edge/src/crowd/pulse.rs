//! Whether it is a client's turn to do something, and since when.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Whether requests of a connection wait for us, and since when none does.
#[derive(Debug)]
pub(crate) struct Pulse {
    start: Instant,
    ours: AtomicUsize,
    served: AtomicUsize,
    quiet_since: AtomicU64,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            ours: AtomicUsize::new(0),
            served: AtomicUsize::new(0),
            quiet_since: AtomicU64::new(0),
        }
    }

    pub(crate) fn begin(self: &Arc<Self>) -> Beat {
        self.ours.fetch_add(1, Ordering::AcqRel);
        Beat { pulse: self.clone(), ours: true }
    }

    /// How long nothing has waited for us. A client that takes its answer too slowly is as quiet as
    /// one that asks nothing.
    pub(crate) fn quiet_for(&self) -> Option<Duration> {
        let since = Duration::from_millis(self.quiet_since.load(Ordering::Acquire));
        let idle = self.ours.load(Ordering::Acquire) == 0;
        idle.then(|| self.start.elapsed().saturating_sub(since))
    }

    /// Whether a request has been answered to its end.
    pub(crate) fn served(&self) -> bool {
        self.served.load(Ordering::Acquire) > 0
    }

    fn rest(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.quiet_since.store(now, Ordering::Release);
        self.ours.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A request being answered, its body included.
#[derive(Debug)]
pub(crate) struct Beat {
    pulse: Arc<Pulse>,
    ours: bool,
}

impl Beat {
    /// More of the answer is wanted.
    pub(crate) fn ours(&mut self) {
        if !self.ours {
            self.ours = true;
            self.pulse.ours.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The client has something to take.
    pub(crate) fn theirs(&mut self) {
        if self.ours {
            self.ours = false;
            self.pulse.rest();
        }
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.pulse.served.fetch_add(1, Ordering::AcqRel);
        self.theirs();
    }
}
