//! Counts what keeps boxes awake.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smartbox_core::activity::{Activity, Busy, Doing};
use smartbox_core::id::SmartboxId;
use smartbox_core::time::{Clock, Timestamp};
use tokio::sync::Notify;

use crate::trail::Trail;

/// What is going on in every box, in memory only: after a restart of the platform nothing is going on,
/// since every connection went through it.
pub struct Tracker {
    clock: Arc<dyn Clock>,
    boxes: Mutex<HashMap<SmartboxId, Entry>>,
}

#[derive(Default)]
struct Entry {
    counts: HashMap<Doing, u32>,
    last: Timestamp,
    keeper: Arc<Notify>,
    /// The turn that is being taken.
    turn: Trail,
}

/// What is going on in one box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Going {
    /// Whether something is in flight.
    pub busy: bool,
    /// When a person, or the end of something, was seen last.
    pub last: Timestamp,
}

impl Tracker {
    /// Counts nothing yet.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, boxes: Mutex::default() })
    }

    /// What is going on in a box.
    pub fn going(&self, id: &SmartboxId) -> Going {
        let boxes = self.lock();
        boxes.get(id).map_or(Going { busy: false, last: Timestamp(0) }, |entry| Going {
            busy: entry.counts.values().any(|n| *n > 0),
            last: entry.last,
        })
    }

    /// What the keeper of a box waits for: told when something begins or the last thing ends.
    pub(crate) fn bell(&self, id: &SmartboxId) -> Arc<Notify> {
        self.lock().entry(id.clone()).or_default().keeper.clone()
    }

    /// What its model calls are made for, as far as anybody can tell: the turn that is being taken.
    pub fn turn(&self, id: &SmartboxId) -> Trail {
        self.lock().get(id).map(|entry| entry.turn.clone()).unwrap_or_default()
    }

    /// A turn begins, or, by the default, ends.
    pub(crate) fn takes(&self, id: &SmartboxId, turn: Trail) {
        if let Some(entry) = self.lock().get_mut(id) {
            entry.turn = turn;
        }
    }

    /// A person did something now.
    pub(crate) fn touched(&self, id: &SmartboxId) {
        let now = self.clock.now();
        self.lock().entry(id.clone()).or_default().last = now;
    }

    /// Forgets a box that is gone.
    pub(crate) fn forget(&self, id: &SmartboxId) {
        self.lock().remove(id);
    }

    fn count(&self, id: &SmartboxId, doing: Doing, begins: bool) {
        let now = self.clock.now();
        let mut boxes = self.lock();
        let entry = boxes.entry(id.clone()).or_default();
        let count = entry.counts.entry(doing).or_default();
        *count = if begins { count.saturating_add(1) } else { count.saturating_sub(1) };
        if doing != Doing::ModelCall {
            entry.last = now;
        }
        let total: u32 = entry.counts.values().sum();
        if total == u32::from(begins) {
            entry.keeper.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SmartboxId, Entry>> {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Guard {
    tracker: Arc<Tracker>,
    id: SmartboxId,
    doing: Doing,
}

impl Busy for Guard {}

impl Drop for Guard {
    fn drop(&mut self) {
        self.tracker.count(&self.id, self.doing, false);
    }
}

/// The port as edge and AI gateway see it.
pub struct Counting(pub Arc<Tracker>);

impl Activity for Counting {
    fn begin(&self, id: &SmartboxId, doing: Doing) -> Box<dyn Busy> {
        self.0.count(id, doing, true);
        Box::new(Guard { tracker: self.0.clone(), id: id.clone(), doing })
    }

    fn touch(&self, id: &SmartboxId) {
        self.0.touched(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct At(i64);
    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp(self.0)
        }
    }

    #[test]
    fn a_box_is_busy_until_the_last_guard_is_dropped() {
        let tracker = Tracker::new(Arc::new(At(5)));
        let id: SmartboxId = "box_00000000000000000001".parse().unwrap();
        let counting = Counting(tracker.clone());
        let one = counting.begin(&id, Doing::Exec);
        let two = counting.begin(&id, Doing::Exec);
        assert!(tracker.going(&id).busy);
        drop(one);
        assert!(tracker.going(&id).busy);
        drop(two);
        assert_eq!(tracker.going(&id), Going { busy: false, last: Timestamp(5) });
    }

    #[test]
    fn a_model_call_keeps_awake_but_is_no_person() {
        let tracker = Tracker::new(Arc::new(At(5)));
        let id: SmartboxId = "box_00000000000000000001".parse().unwrap();
        let call = Counting(tracker.clone()).begin(&id, Doing::ModelCall);
        assert_eq!(tracker.going(&id), Going { busy: true, last: Timestamp(0) });
        drop(call);
        assert_eq!(tracker.going(&id), Going { busy: false, last: Timestamp(0) });
    }
}
