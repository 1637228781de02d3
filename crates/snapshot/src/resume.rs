//! Before a snapshot is taken: what the last one left.
//!
//! One that was killed leaves packs that no index names; their pieces would be sent again. Whether there
//! are any is asked only after a claim that no snapshot followed, so that it usually costs nothing.

use futures_util::TryStreamExt;
use object_store::path::Path;
use rustic_core::FileType;
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::snapshot::{Claim, Generation, Shelf};

use crate::backend::Backend;
use crate::damage::Indexed;
use crate::error::of_store;
use crate::open::Opened;
use crate::{heal, take};

/// What a snapshot is taken upon.
pub(crate) struct Ready {
    /// The snapshot that the home is compared with; the library would choose one by its date, and clocks
    /// go wrong. Nothing if none is to be trusted.
    pub(crate) parent: Option<String>,
    notes: Vec<Path>,
}

impl Ready {
    /// Puts right and picks up what is left.
    pub(crate) fn make(
        backend: &Backend,
        opened: &Opened,
        claim: &Claim,
    ) -> Result<Self, SnapshotError> {
        let notes = heal::notes(backend)?;
        if !notes.is_empty() {
            return Self::healed(backend, opened, notes);
        }
        let taken = match take::list(opened)? {
            Shelf::NoneYet => Vec::new(),
            Shelf::Some(taken) => taken,
        };
        let last = last_claim(backend, claim.generation)?;
        if last.is_some_and(|last| taken.iter().all(|one| one.claim.generation != last)) {
            let index = Indexed::read(backend, opened)?;
            let gone = index.gone();
            if !gone.is_empty() {
                // An index that merely no longer named them would let the snapshot go on without.
                gone.iter().for_each(|id| heal::note(backend, FileType::Pack, id));
                return Self::healed(backend, opened, heal::notes(backend)?);
            }
            if index.has_unnamed() {
                heal::index(opened)?;
            }
        }
        let parent = taken.last().map(|one| one.id.as_str().to_owned());
        Ok(Self { parent, notes })
    }

    fn healed(backend: &Backend, opened: &Opened, notes: Vec<Path>) -> Result<Self, SnapshotError> {
        heal::heal(backend, opened, &notes)?;
        Ok(Self { parent: None, notes })
    }

    /// The snapshot was taken.
    pub(crate) fn done(self, backend: &Backend) {
        if !self.notes.is_empty() {
            heal::done(backend, self.notes);
        }
    }
}

/// The number that was claimed before this one. Only names are looked at.
fn last_claim(backend: &Backend, before: Generation) -> Result<Option<Generation>, SnapshotError> {
    let beneath = backend.beside("generations");
    let listed = backend.store.list(Some(&beneath)).map_ok(|meta| meta.location);
    let listed: Vec<Path> = backend.runtime.block_on(listed.try_collect()).map_err(of_store)?;
    let numbers = listed.iter().filter_map(|path| path.filename()?.parse().ok().map(Generation));
    Ok(numbers.filter(|number| *number < before).max())
}
