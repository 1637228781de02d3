//! Jobs at work: whatever outlives a request, a few at a time, and through the end of this process.
//!
//! ```text
//! submit ──row says queued──► board ──its turn──► take (row: running, a new fencing token) ──► work
//!                              ▲                                                               │
//!              resume ─────────┘◄── paused ◄── asked to pause ─────────────────────────────────┤
//!                                                     succeeded | failed | cancelled ◄─────────┘
//! ```
//!
//! The row is the truth. The `board` holds who is next and `live` wakes those who watch; both are
//! made anew from the rows by the next process, which takes up what ran here from its checkpoint.

mod ask;
mod board;
mod bulk;
mod ctx;
mod failure;
mod find;
mod follow;
mod kinds;
mod live;
mod run;
mod submit;
mod sweep;
mod work;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use board::Board;
use live::Live;

pub use bulk::{MAX_BOXES, NewBulk, Pace, Planned, PlannedConfig};
pub use ctx::Ctx;
pub use submit::NewJob;
pub use work::{Halt, Work};

/// How many jobs run, and how long they are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// At the same time on this platform.
    pub at_once: usize,
    /// At the same time about one box.
    pub per_box: usize,
    /// How long a job is remembered after its end.
    pub keep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { at_once: 32, per_box: 4, keep: Duration::from_hours(24) }
    }
}

/// What the engine room knows of its jobs besides their rows.
pub(crate) struct Jobs {
    limits: Limits,
    works: HashMap<&'static str, Arc<dyn Work>>,
    board: Mutex<Board>,
    live: Live,
}

impl Jobs {
    /// The kinds of the engine room itself and `more`.
    pub(crate) fn new(limits: Limits, more: Vec<Arc<dyn Work>>) -> Self {
        let works = kinds::all()
            .into_iter()
            .chain(bulk::all())
            .chain(more)
            .map(|work| (work.kind(), work))
            .collect();
        Self { limits, works, board: Mutex::new(Board::new(limits)), live: Live::default() }
    }

    /// How many wait for their turn, and how many run.
    pub(crate) fn count(&self) -> (usize, usize) {
        self.board().count()
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
