//! Snapshots as they are shown.

use smartbox_api::file::FileView;
use smartbox_api::snapshot::{ArchiveView, SnapshotView, TombstoneView};
use smartbox_core::snapshot::port::Kept;
use smartbox_core::snapshot::record::{Record, Tombstone};

use crate::http::file;

/// One of them.
pub(in crate::http) fn view(record: &Record) -> SnapshotView {
    SnapshotView {
        id: record.snapshot.to_string(),
        generation: record.generation,
        time: record.taken,
        why: record.why,
        files: record.files,
        bytes: record.bytes,
        added: record.added,
        verified: record.verified,
    }
}

/// How they are doing.
pub(super) fn archive(found: smartbox_control::ArchiveView, storage: String) -> ArchiveView {
    let archive = found.archive;
    ArchiveView {
        newest: found.generations.last().map(view),
        count: found.generations.len() as u64,
        fresh: found.fresh,
        objective_ms: u64::try_from(found.objective.as_millis()).unwrap_or(u64::MAX),
        late: found.late,
        trouble: archive.trouble.map(|trouble| trouble.message),
        keep: found.keep,
        own: archive.objective.is_some() || archive.keep.is_some(),
        storage,
        drill: archive.drill,
        proven: archive.proven,
    }
}

/// A file of one.
pub(super) fn file(kept: &Kept) -> FileView {
    // What is immutable has its content's name: its path, in this generation.
    file::view(&kept.entry)
}

/// A removed box.
pub(in crate::http) fn tombstone(stone: &Tombstone, snapshots: usize) -> TombstoneView {
    TombstoneView {
        id: stone.row.id.clone(),
        name: stone.row.name.clone(),
        removed: stone.removed,
        until: stone.until,
        snapshots: snapshots as u64,
    }
}
