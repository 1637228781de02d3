//! How fresh a box's snapshots are.

use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::{Smartbox, State};
use smartbox_core::snapshot::Keep;
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::snapshot::record::{Archive, Record};
use smartbox_core::time::Timestamp;

use super::book::Held;
use crate::control::Control;
use crate::error::ControlError;

/// So many objectives may pass before a box counts as late.
const LATE: u32 = 2;

/// What there is of a box's snapshots.
#[derive(Debug, Clone)]
pub struct ArchiveView {
    /// What the records have. Its `drill` and `proven` are the last restore drills.
    pub archive: Archive,
    /// Oldest first.
    pub generations: Vec<Record>,
    /// The objective that holds for it.
    pub objective: Duration,
    /// What is kept of it.
    pub keep: Keep,
    /// When the home was last known to be no other than the newest generation.
    pub fresh: Option<Timestamp>,
    /// The age of the newest generation.
    pub age: Option<Duration>,
    /// It runs, and its objective was missed by far.
    pub late: bool,
}

impl Control {
    /// Looks at the snapshots of a box, a removed one's too. The storage is not asked.
    pub async fn archive(&self, id: &SmartboxId) -> Result<ArchiveView, ControlError> {
        let held = self.held(id).await?;
        let now = self.parts.clock.now();
        let settings = &self.parts.settings.snapshots;
        let objective = held.archive.objective.unwrap_or(settings.objective);
        let fresh = self.fresh(&held);
        let late = held.row.as_ref().is_some_and(|row| is_late(row, fresh, objective, now));
        Ok(ArchiveView {
            objective,
            keep: held.archive.keep.unwrap_or(settings.keep),
            age: held.newest().map(|newest| now.since(newest.taken)),
            fresh,
            late,
            archive: held.archive,
            generations: held.generations,
        })
    }

    /// Bytes that a box's snapshots take in the storage, which is asked.
    pub async fn snapshot_size(&self, id: &SmartboxId) -> Result<u64, ControlError> {
        Ok(self.parts.snapshots.size(id.clone()).await?)
    }

    /// Where snapshots are, for a person; without credentials.
    pub fn snapshot_storage(&self) -> String {
        self.parts.snapshots.whereabouts()
    }

    /// Whether the storage of snapshots works.
    pub async fn probe_snapshots(&self) -> Result<(), SnapshotError> {
        self.parts.snapshots.probe().await
    }

    pub(super) fn fresh(&self, held: &Held) -> Option<Timestamp> {
        held.archive.fresh.max(self.archiving.fresh(&held.archive.smartbox))
    }
}

/// Whether a box runs and what it changed is in no generation for far longer than it should.
pub(super) fn is_late(
    row: &Smartbox,
    fresh: Option<Timestamp>,
    objective: Duration,
    now: Timestamp,
) -> bool {
    row.state == State::Running && now.since(since(row, fresh)) > objective * LATE
}

/// Since when a box that runs may have what no generation has.
pub(super) fn since(row: &Smartbox, fresh: Option<Timestamp>) -> Timestamp {
    // What it did before it was started is in the snapshot that was taken when it stopped.
    fresh.max(row.vitals.ready).unwrap_or(row.created)
}
