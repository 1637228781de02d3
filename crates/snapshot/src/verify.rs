//! Reads back what was written: every pack whole, every blob decrypted and hashed, every tree walked.
//! What is found damaged is named, with the files that it hits, and noted for the next snapshot to heal.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use rustic_core::repofile::{SnapshotFile, SnapshotId as ObjectId};
use rustic_core::{BlobId, CheckOptions, FileType, Id};
use smartbox_core::snapshot::SnapshotId;
use smartbox_core::snapshot::port::{SnapshotError, Verified};

use crate::backend::{Backend, shut, why};
use crate::damage::{Damage, survey};
use crate::heal;
use crate::open::{Opened, open};
use crate::shown::Shown;

use smartbox_core::snapshot::RepositoryKey;

const WHAT: &str = "repository of snapshots";

/// How often a check that the library gave up for want of time is done again, and how it says so.
const TRIES: u32 = 10;
const LINGERING: &str = "index still in use";

/// So many files are named, of those that are hit.
const NAMED: usize = 5;

pub(crate) fn verify(
    backend: &Backend,
    key: &RepositoryKey,
    id: Option<&SnapshotId>,
) -> Result<Verified, SnapshotError> {
    let mut told = Vec::new();
    let (what, source) = match check(&open(backend.clone(), key)?, id, &mut told) {
        Err(SnapshotError::Corrupt { what, source }) => (what, source),
        other => return other,
    };
    // With a gate of its own: the first one is shut by what was found.
    let fresh = backend.anew();
    let Ok(found) = open(fresh.clone(), key).and_then(|opened| survey(&fresh, &opened)) else {
        return Err(SnapshotError::Corrupt { what, source });
    };
    for (kind, id) in &found.objects {
        heal::note(&fresh, *kind, id);
    }
    let hit = hit(&fresh, key, id, &found.blobs);
    let objects: Vec<String> = found.objects.iter().map(|(kind, id)| name(*kind, id)).collect();
    // Something may be lost for good, and no object be damaged any more.
    let finding = told.first().map_or_else(|| source.to_string(), Clone::clone);
    let text = match (objects.is_empty(), hit.is_empty()) {
        (true, true) => finding,
        (true, false) => format!("{finding}; it hits {hit}"),
        (false, true) => format!("damaged or gone: {}", objects.join(", ")),
        (false, false) => format!("damaged or gone: {}; it hits {hit}", objects.join(", ")),
    };
    Err(SnapshotError::Corrupt { what, source: text.into() })
}

fn check(
    opened: &Opened,
    id: Option<&SnapshotId>,
    told: &mut Vec<String>,
) -> Result<Verified, SnapshotError> {
    let Opened { repository, gate } = opened;
    let lift = |error| why(gate, WHAT, error);
    let chosen: Vec<SnapshotFile> = match id {
        None => repository.get_all_snapshots().map_err(lift)?,
        Some(id) => vec![find(opened, id)?],
    };
    let mut tries = 0;
    let results = loop {
        let mut options = CheckOptions::default();
        options.read_data = true;
        let trees = chosen.iter().map(|file| file.tree).collect();
        let work = AssertUnwindSafe(|| repository.check_with_trees(options, trees));
        match catch_unwind(work) {
            Ok(done) => break done.map_err(lift)?,
            // What the storage said before counts.
            Err(panic) if lingers(&*panic) => match shut(gate, WHAT) {
                Some(error) => return Err(error),
                None if tries < TRIES => tries += 1,
                None => resume_unwind(panic),
            },
            Err(panic) => resume_unwind(panic),
        }
    };
    told.extend(results.0.iter().map(|(_, finding)| finding.to_string()));
    results.is_ok().map_err(lift)?;
    Ok(Verified { snapshots: chosen.len() as u64 })
}

/// Whether the library only gave its own threads too little time: it wants back what they use, waits for
/// a tenth of a second, and panics. Nothing was written, and it can be done again.
fn lingers(panic: &(dyn Any + Send)) -> bool {
    panic.downcast_ref::<String>().is_some_and(|text| text.starts_with(LINGERING))
}

/// The files that damaged pieces are part of, for a person.
fn hit(
    backend: &Backend,
    key: &RepositoryKey,
    id: Option<&SnapshotId>,
    blobs: &BTreeSet<BlobId>,
) -> String {
    let mut damage = Damage::of(blobs);
    let ids = || match id {
        Some(id) => Ok(vec![id.clone()]),
        None => {
            let opened = open(backend.anew(), key)?;
            let listed = opened.repository.list::<ObjectId>();
            let listed = listed.map_err(|error| why(&opened.gate, WHAT, error))?;
            Ok(listed.filter_map(|id| id.to_hex().as_str().parse().ok()).collect())
        }
    };
    for id in ids().unwrap_or_else(|_: SnapshotError| Vec::new()) {
        let shown = open(backend.anew(), key).and_then(|opened| Shown::open(opened, &id));
        match shown {
            Ok(shown) => damage.walk(&shown, shown.root(), b""),
            Err(_) => damage.add(format!("the snapshot {}", &id.as_str()[..8])),
        }
    }
    damage.told(NAMED)
}

fn name(kind: FileType, id: &Id) -> String {
    let what = match kind {
        FileType::Pack => "the pack",
        FileType::Index => "the index",
        _ => "the snapshot",
    };
    format!("{what} {}", id.to_hex().as_str())
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
