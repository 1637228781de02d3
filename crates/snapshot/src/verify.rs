//! Reads back what was written: every pack whole, every blob decrypted and hashed, every tree walked.

use rustic_core::CheckOptions;
use rustic_core::repofile::{SnapshotFile, SnapshotId as ObjectId};
use smartbox_core::snapshot::SnapshotId;
use smartbox_core::snapshot::port::{SnapshotError, Verified};

use crate::backend::why;
use crate::open::Opened;

const WHAT: &str = "repository of snapshots";

pub(crate) fn verify(opened: &Opened, id: Option<&SnapshotId>) -> Result<Verified, SnapshotError> {
    let Opened { repository, gate } = opened;
    let lift = |error| why(gate, WHAT, error);
    let chosen: Vec<SnapshotFile> = match id {
        None => repository.get_all_snapshots().map_err(lift)?,
        Some(id) => vec![find(opened, id)?],
    };
    let mut options = CheckOptions::default();
    options.read_data = true;
    let trees = chosen.iter().map(|file| file.tree).collect();
    let results = repository.check_with_trees(options, trees).map_err(lift)?;
    results.is_ok().map_err(lift)?;
    Ok(Verified { snapshots: chosen.len() as u64 })
}

/// The snapshot of an id.
pub(crate) fn find(opened: &Opened, id: &SnapshotId) -> Result<SnapshotFile, SnapshotError> {
    let Opened { repository, gate } = opened;
    let lift = |error| why(gate, "snapshot", error);
    let mut listed = repository.list::<ObjectId>().map_err(lift)?;
    let there = listed.find(|one| one.to_hex().as_str() == id.as_str());
    let there = there.ok_or(SnapshotError::Missing { what: "snapshot" })?;
    repository.get_file(&there).map_err(lift)
}
