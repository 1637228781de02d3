//! What one box may ask of the gateway, and how long it may take to ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smartbox_core::activity::Busy;
use smartbox_core::id::SmartboxId;

/// Limits towards boxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one request's body.
    pub body: u64,
    /// Bytes of request bodies held at one time, all boxes together.
    pub held: usize,
    /// Calls of one box in flight at one time.
    pub calls: usize,
    /// For the head of a request; also how long an idle connection is kept.
    pub head: Duration,
    /// Between two pieces of a request's body.
    pub pause: Duration,
    /// For a whole request body.
    pub upload: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 32 << 20,
            held: 256 << 20,
            calls: 32,
            // A client that keeps connections closes idle ones sooner (undici: 4 s). Each is a place
            // that another waits for.
            head: Duration::from_secs(10),
            pause: Duration::from_secs(30),
            upload: Duration::from_secs(600),
        }
    }
}

/// Counts each box's calls in flight.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashMap<SmartboxId, usize>>>);

/// One call's place; free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    all: InFlight,
    id: SmartboxId,
}

/// What a call holds as long as it lasts: its box awake, and its place.
pub(crate) struct Held {
    /// Keeps the box awake.
    pub(crate) _busy: Box<dyn Busy>,
    /// Its place among the box's calls.
    pub(crate) _place: Place,
}

impl InFlight {
    /// A place for one more call, if the box has fewer than `most`.
    pub(crate) fn enter(&self, id: &SmartboxId, most: usize) -> Option<Place> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.get(id).copied().unwrap_or(0);
        if count >= most {
            return None;
        }
        all.insert(id.clone(), count + 1);
        Some(Place { all: self.clone(), id: id.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(&self.id) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                all.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_per_box_and_come_back() {
        let (all, one, two) = (
            InFlight::default(),
            "box_00000000000000000001".parse().unwrap(),
            "box_00000000000000000002".parse().unwrap(),
        );
        let first = all.enter(&one, 2).unwrap();
        let second = all.enter(&one, 2).unwrap();
        assert!(all.enter(&one, 2).is_none());
        assert!(all.enter(&two, 2).is_some());
        drop(first);
        assert!(all.enter(&one, 2).is_some());
        drop(second);
        assert!(all.0.lock().unwrap().is_empty());
    }
}
