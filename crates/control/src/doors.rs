//! How many connections of boxes the platform holds at its doors. Each is a descriptor or two of the one
//! process that serves everybody, and opening one costs a box nothing.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What the listeners that boxes call may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doors {
    /// Model calls.
    pub models: Door,
    /// What is sent out, until it is a tunnel: those the broker counts.
    pub proxy: Door,
}

/// Connections that are served at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Door {
    /// Of one box.
    pub each: usize,
    /// Of all boxes.
    pub all: usize,
}

/// The places at one door.
pub(crate) struct Places {
    each: usize,
    all: Arc<Semaphore>,
}

/// One box before a door. Whoever finds no place waits, in the order of coming; what is behind them waits
/// in the kernel, and costs nobody anything. To close it instead would fail calls of an engine that had
/// only to wait until idle connections end.
pub(crate) struct Queue {
    mine: Arc<Semaphore>,
    all: Arc<Semaphore>,
}

/// A place, given back when dropped.
pub(crate) struct Place {
    _mine: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(door: Door) -> Self {
        let all = door.all.clamp(1, Semaphore::MAX_PERMITS);
        Self { each: door.each.clamp(1, all), all: Arc::new(Semaphore::new(all)) }
    }

    /// Where the connections of one sandbox wait.
    pub(crate) fn queue(&self) -> Queue {
        Queue { mine: Arc::new(Semaphore::new(self.each)), all: self.all.clone() }
    }
}

impl Queue {
    /// Waits for a place. One of the box's own comes first, so that it waits for those of all only with
    /// what it may have. None if there are no places any more.
    pub(crate) async fn place(&self) -> Option<Place> {
        let mine = self.mine.clone().acquire_owned().await.ok()?;
        let all = self.all.clone().acquire_owned().await.ok()?;
        Some(Place { _mine: mine, _all: all })
    }
}
