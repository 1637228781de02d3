//! Snapshots of homes: when they are taken and under which claim, and what becomes of them. The bytes are
//! the driver's ([`smartbox_core::snapshot::port::Snapshots`]), the rules `core`'s.
//!
//! One task at a time takes, prunes or restores the snapshots of one box; reading is free.

mod act;
mod begin;
mod beside;
mod book;
mod bury;
mod change;
mod diagnosis;
mod drill;
mod files;
mod fork;
mod later;
mod look;
mod password;
mod prune;
mod recover;
mod remove;
mod restore;
mod settle;
mod still;
mod take;
mod turn;
mod verify;
mod view;
mod watch;

use std::time::Duration;

use smartbox_core::snapshot::Keep;

pub use bury::Undelete;
pub(crate) use bury::bury;
pub use change::ArchiveChange;
pub(crate) use drill::{KIND as DRILL, SCRATCH};
pub use later::SnapshotJob;
pub use look::Compare;
pub use recover::Recoverable;
pub(crate) use turn::Archiving;
pub use view::ArchiveView;

/// What the operator decided about snapshots.
#[derive(Debug, Clone)]
pub struct SnapshotSettings {
    /// Changes older than this are in a generation, of boxes whose owner decided nothing else.
    pub objective: Duration,
    /// What is kept, of boxes whose owner decided nothing else.
    pub keep: Keep,
    /// How long the snapshots of a removed box are kept.
    pub tombstones: Duration,
    /// How often a restore is tried; never if there is none.
    pub drill_every: Option<Duration>,
    /// What is left out of homes: globs over paths relative to them.
    pub exclude: Vec<String>,
}
