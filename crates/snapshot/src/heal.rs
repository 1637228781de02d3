//! Damage: what a verification found is noted beside the repository, and the next snapshot begins by
//! putting it right. A damaged object is moved out of the repository, not removed; the index is made to
//! say what is there; and the home is read without trust in an earlier snapshot, so that every piece
//! which is lost and still in the home is written anew, for the older snapshots too.
//!
//! Killed at any point, the notes are still there and the next one does it all again.

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use rustic_core::{FileType, Id, RepairIndexOptions};
use sha2::{Digest, Sha256};
use smartbox_core::snapshot::port::SnapshotError;

use crate::backend::{Backend, why};
use crate::beside::remove;
use crate::error::of_store;
use crate::open::Opened;
use crate::shown::hex;

const WHAT: &str = "repository of snapshots";

/// Where the notes lie, and where what they name is moved to.
const NOTES: &str = "damage";
const ASIDE: &str = "damaged";

/// What can be damaged and put right.
const KINDS: [FileType; 3] = [FileType::Pack, FileType::Index, FileType::Snapshot];

/// Notes that this is damaged. That it could not be noted is no reason not to tell of the damage.
pub(crate) fn note(backend: &Backend, kind: FileType, id: &Id) {
    let path = backend.beside(NOTES).join(format!("{}-{}", kind.dirname(), id.to_hex().as_str()));
    let _ = backend.runtime.block_on(backend.store.put(&path, PutPayload::default()));
}

/// The notes that there are.
pub(crate) fn notes(backend: &Backend) -> Result<Vec<Path>, SnapshotError> {
    let beneath = backend.beside(NOTES);
    let listed = backend.store.list(Some(&beneath)).map_ok(|meta| meta.location);
    backend.runtime.block_on(listed.try_collect()).map_err(of_store)
}

/// Removes notes whose damage is put right. One that stays costs a reading of the home, and no more.
pub(crate) fn done(backend: &Backend, notes: Vec<Path>) {
    let _ = backend.runtime.block_on(remove(&*backend.store, notes));
}

/// Puts right what the notes say.
pub(crate) fn heal(
    backend: &Backend,
    opened: &Opened,
    notes: &[Path],
) -> Result<(), SnapshotError> {
    for (kind, id) in notes.iter().filter_map(read) {
        if backend.runtime.block_on(look_at(backend, kind, &id))? == Some(false) {
            let name = format!("{}-{}", kind.dirname(), id.to_hex().as_str());
            let (from, to) = (backend.path(kind, &id), backend.beside(ASIDE).join(name));
            // Not a renaming, which does nothing where one that died has made both names one file.
            let moved = async {
                backend.store.copy(&from, &to).await?;
                backend.store.delete(&from).await
            };
            backend.runtime.block_on(moved).map_err(of_store)?;
        }
    }
    index(opened)
}

/// Makes the index say what is there: what nothing names any more is named, and what is gone is not.
pub(crate) fn index(opened: &Opened) -> Result<(), SnapshotError> {
    let repaired = opened.repository.repair_index(&RepairIndexOptions::default(), false);
    repaired.map_err(|error| why(&opened.gate, WHAT, error))
}

/// Whether an object is what its name says, which is the hash of it; nothing if it is not there.
pub(crate) async fn look_at(
    backend: &Backend,
    kind: FileType,
    id: &Id,
) -> Result<Option<bool>, SnapshotError> {
    let path = backend.path(kind, id);
    let got = async { backend.store.get(&path).await?.bytes().await };
    match got.await.map_err(of_store) {
        Ok(bytes) => Ok(Some(hex(&Sha256::digest(&bytes)) == id.to_hex().as_str())),
        Err(SnapshotError::Missing { what: "object" }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(note: &Path) -> Option<(FileType, Id)> {
    let (kind, id) = note.filename()?.split_once('-')?;
    let kind = KINDS.into_iter().find(|one| one.dirname() == kind)?;
    Some((kind, id.parse().ok()?))
}
