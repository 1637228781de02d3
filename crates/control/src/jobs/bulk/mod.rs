//! One thing done to many boxes: a few at a time, each with a row of its own that says how it went.
//!
//! A run that follows another begins the boxes that are not done: those that were begun first, from
//! their checkpoints. One box's failure does not stop the rest unless that is asked for.

mod config;
mod each;
mod plan;
mod restart;
mod run;
mod submit;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::work::Work;

pub use plan::{Planned, PlannedConfig};
pub use submit::NewBulk;

/// The most boxes of one bulk.
pub const MAX_BOXES: usize = 5000;
/// The most boxes at the same time.
const MAX_CONCURRENCY: u32 = 50;
/// The longest pause between two boxes.
const MAX_DELAY: Duration = Duration::from_hours(1);

/// How a bulk goes about its boxes; the input of its job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Milliseconds between the beginnings of two boxes.
    pub delay_ms: u64,
    /// So many boxes at the same time.
    pub concurrency: u32,
    /// Whether the first box that fails is the last that was begun.
    pub stop_on_failure: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { delay_ms: 0, concurrency: 4, stop_on_failure: false }
    }
}

/// Every kind of bulk.
pub(super) fn all() -> Vec<Arc<dyn Work>> {
    vec![Arc::new(restart::Restart), Arc::new(config::Patches)]
}
