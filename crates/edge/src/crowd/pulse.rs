//! Whether it is a client's turn to do something, and since when.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Whether requests of a connection wait for us, and since when none does.
#[derive(Debug)]
pub(crate) struct Pulse {
    start: Instant,
    /// Requests whose answer is our turn, though some may wait for the rest of what they send.
    open: AtomicUsize,
    /// Of these, those that wait for nobody but us.
    ours: AtomicUsize,
    served: AtomicUsize,
    quiet_since: AtomicU64,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            open: AtomicUsize::new(0),
            ours: AtomicUsize::new(0),
            served: AtomicUsize::new(0),
            quiet_since: AtomicU64::new(0),
        }
    }

    pub(crate) fn begin(self: &Arc<Self>) -> Beat {
        self.open.fetch_add(1, Ordering::AcqRel);
        self.ours.fetch_add(1, Ordering::AcqRel);
        Beat(Turn { pulse: self.clone(), theirs: Arc::default() })
    }

    /// How long nothing has waited for us. A client that takes its answer too slowly is as quiet as
    /// one that asks nothing, and so is one that does not send what it began.
    pub(crate) fn quiet_for(&self) -> Option<Duration> {
        self.since(&self.ours)
    }

    /// How long there has been no request to answer. One that is still coming is a request: how long it
    /// may take is for whoever reads it.
    pub(crate) fn idle_for(&self) -> Option<Duration> {
        self.since(&self.open)
    }

    fn since(&self, count: &AtomicUsize) -> Option<Duration> {
        let since = Duration::from_millis(self.quiet_since.load(Ordering::Acquire));
        let none = count.load(Ordering::Acquire) == 0;
        none.then(|| self.start.elapsed().saturating_sub(since))
    }

    /// Whether a request has been answered to its end.
    pub(crate) fn served(&self) -> bool {
        self.served.load(Ordering::Acquire) > 0
    }

    fn count(&self, count: &AtomicUsize, before: bool, now: bool) {
        match (before, now) {
            (false, true) => {
                count.fetch_add(1, Ordering::AcqRel);
            }
            (true, false) => {
                let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.quiet_since.store(elapsed, Ordering::Release);
                count.fetch_sub(1, Ordering::AcqRel);
            }
            _ => {}
        }
    }
}

/// What a request waits for from its client.
#[derive(Debug, Default, Clone, Copy)]
struct Theirs {
    /// That it takes what is there of the answer.
    answer: bool,
    /// That it sends more of its body.
    body: bool,
}

#[derive(Debug, Clone)]
struct Turn {
    pulse: Arc<Pulse>,
    theirs: Arc<Mutex<Theirs>>,
}

impl Turn {
    fn change(&self, change: impl FnOnce(&mut Theirs)) {
        let mut theirs = self.theirs.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *theirs;
        change(&mut theirs);
        let ours = |of: Theirs| !of.answer && !of.body;
        self.pulse.count(&self.pulse.open, !before.answer, !theirs.answer);
        self.pulse.count(&self.pulse.ours, ours(before), ours(*theirs));
    }
}

/// A request being answered, its body included.
#[derive(Debug)]
pub(crate) struct Beat(Turn);

impl Beat {
    /// More of the answer is wanted.
    pub(crate) fn ours(&self) {
        self.0.change(|theirs| theirs.answer = false);
    }

    /// The client has something to take.
    pub(crate) fn theirs(&self) {
        self.0.change(|theirs| theirs.answer = true);
    }

    /// For whoever reads the request's body.
    pub(crate) fn reader(&self) -> Reading {
        Reading(self.0.clone())
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.0.pulse.served.fetch_add(1, Ordering::AcqRel);
        self.theirs();
    }
}

/// The body of a request being read.
#[derive(Debug)]
pub(crate) struct Reading(Turn);

impl Reading {
    /// Whether more of it is waited for.
    pub(crate) fn waits(&self, waits: bool) {
        self.0.change(|theirs| theirs.body = waits);
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.waits(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_does_not_send_what_they_began_is_quiet_and_not_idle() {
        let pulse = Arc::new(Pulse::new());
        let beat = pulse.begin();
        let reading = beat.reader();
        assert!(pulse.quiet_for().is_none() && pulse.idle_for().is_none());
        reading.waits(true);
        reading.waits(true);
        assert!(pulse.quiet_for().is_some() && pulse.idle_for().is_none());
        reading.waits(false);
        assert!(pulse.quiet_for().is_none());
        reading.waits(true);
        drop(reading);
        assert!(pulse.quiet_for().is_none(), "nobody reads any more: it is for us to answer");
        drop(beat);
        assert!(pulse.quiet_for().is_some() && pulse.idle_for().is_some());
    }

    #[test]
    fn one_that_waits_hides_none_that_does_not() {
        let pulse = Arc::new(Pulse::new());
        let (slow, busy) = (pulse.begin(), pulse.begin());
        let reading = slow.reader();
        reading.waits(true);
        slow.theirs();
        slow.theirs();
        assert!(pulse.quiet_for().is_none());
        drop(busy);
        assert!(pulse.quiet_for().is_some() && pulse.idle_for().is_some());
        slow.ours();
        assert!(pulse.quiet_for().is_some() && pulse.idle_for().is_none());
        drop((slow, reading));
        let next = pulse.begin();
        assert!(pulse.quiet_for().is_none());
        drop(next);
    }
}
