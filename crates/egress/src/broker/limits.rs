//! What a box may have at once, and for how long.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smartbox_core::egress::Quota;
use smartbox_core::id::SmartboxId;

/// Bounds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections of one box at once.
    pub connections: usize,
    /// Connections of all boxes at once.
    pub all_connections: usize,
    /// Connections of all boxes at once that ask for names.
    pub all_names: usize,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// How long a head may take to arrive.
    pub head_time: Duration,
    /// How long a name may take to be looked up and a host to answer.
    pub dial_time: Duration,
    /// How long nothing may pass over a connection.
    pub idle_time: Duration,
    /// What a box may in a minute and in a day.
    pub quota: Quota,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            all_connections: 20_000,
            all_names: 4_096,
            head_bytes: 32 << 10,
            head_time: Duration::from_secs(30),
            dial_time: Duration::from_secs(15),
            idle_time: Duration::from_mins(15),
            quota: Quota::default(),
        }
    }
}

/// Counts what is in flight.
pub(crate) struct InFlight {
    counts: Arc<Mutex<Counts>>,
    each: usize,
    all: usize,
}

#[derive(Default)]
struct Counts {
    all: usize,
    boxes: HashMap<SmartboxId, usize>,
}

/// A place among the connections, given back when dropped.
pub(crate) struct Place {
    counts: Arc<Mutex<Counts>>,
    id: SmartboxId,
}

impl InFlight {
    pub(crate) fn new(each: usize, all: usize) -> Self {
        Self { counts: Arc::default(), each, all }
    }

    /// A place, if there is one.
    pub(crate) fn enter(&self, id: &SmartboxId) -> Option<Place> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = counts.boxes.get(id).copied().unwrap_or(0);
        if mine >= self.each || counts.all >= self.all {
            return None;
        }
        counts.all += 1;
        counts.boxes.insert(id.clone(), mine + 1);
        Some(Place { counts: self.counts.clone(), id: id.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= 1;
        if let Some(mine) = counts.boxes.get_mut(&self.id) {
            *mine -= 1;
            if *mine == 0 {
                counts.boxes.remove(&self.id);
            }
        }
    }
}
