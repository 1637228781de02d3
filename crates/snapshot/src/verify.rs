//! Reads back what was written: every pack whole, every blob decrypted and hashed, every tree walked.

use rustic_core::CheckOptions;
use rustic_core::repofile::SnapshotFile;
use smartbox_core::snapshot::SnapshotId;
use smartbox_core::snapshot::port::{SnapshotError, Verified};

use crate::backend::why;
use crate::open::Opened;

const WHAT: &str = "repository of snapshots";

pub(crate) fn verify(opened: &Opened, id: Option<&SnapshotId>) -> Result<Verified, SnapshotError> {
    let Opened { repository, gate } = opened;
    let lift = |error| why(gate, WHAT, error);
    let all = repository.get_all_snapshots().map_err(lift)?;
    let chosen: Vec<SnapshotFile> = match id {
        None => all,
        Some(id) => vec![find(all, id)?],
    };
    let mut options = CheckOptions::default();
    options.read_data = true;
    let trees = chosen.iter().map(|file| file.tree).collect();
    let results = repository.check_with_trees(options, trees).map_err(lift)?;
    results.is_ok().map_err(lift)?;
    Ok(Verified { snapshots: chosen.len() as u64 })
}

/// The snapshot of an id.
pub(crate) fn find(all: Vec<SnapshotFile>, id: &SnapshotId) -> Result<SnapshotFile, SnapshotError> {
    all.into_iter()
        .find(|file| file.id.to_hex().as_str() == id.as_str())
        .ok_or(SnapshotError::Missing { what: "snapshot" })
}
