//! What the records have of a box's snapshots, read in one piece.

use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::snapshot::record::{Archive, Record};
use smartbox_core::snapshot::{Generation, Lineage, RepositoryKey, RepositoryOf};
use smartbox_core::store;

use crate::control::Control;
use crate::error::ControlError;

/// A box's archive with what belongs to it. The row is gone beneath a tombstone.
pub(crate) struct Held {
    pub(crate) row: Option<Smartbox>,
    pub(crate) archive: Archive,
    pub(crate) key: Option<RepositoryKey>,
    /// Oldest first.
    pub(crate) generations: Vec<Record>,
}

impl Held {
    pub(crate) fn lineage(&self) -> Lineage {
        let epoch = self.row.as_ref().map_or(0, |row| row.epoch);
        self.archive.lineage(epoch, &self.generations)
    }

    pub(crate) fn newest(&self) -> Option<&Record> {
        self.generations.last()
    }

    /// Which repository, and what opens it; missing if nothing was ever kept.
    pub(crate) fn repository(&self) -> Result<RepositoryOf, ControlError> {
        let key = self.key.clone().ok_or(ControlError::Missing { what: "snapshot" })?;
        Ok(RepositoryOf { smartbox: self.archive.smartbox.clone(), key })
    }

    /// A generation, or the newest.
    pub(crate) fn generation(&self, wanted: Option<Generation>) -> Result<&Record, ControlError> {
        let found = match wanted {
            None => self.newest(),
            Some(wanted) => self.generations.iter().find(|one| one.generation == wanted),
        };
        found.ok_or(ControlError::Missing { what: "snapshot" })
    }
}

impl Control {
    /// Reads what there is; of a box that nothing was kept of, an empty archive.
    pub(crate) async fn held(&self, id: &SmartboxId) -> Result<Held, ControlError> {
        let wanted = id.clone();
        let (row, archive, key, generations) = store::read(&*self.parts.store, |tx| {
            Box::pin(async move {
                let row = tx.boxes().get(wanted.clone()).await?;
                let archive = tx.archives().get(wanted.clone()).await?;
                let key = tx.archives().key(wanted.clone()).await?;
                Ok((row, archive, key, tx.archives().generations(wanted).await?))
            })
        })
        .await?;
        if row.is_none() && archive.is_none() {
            return Err(ControlError::Missing { what: "smartbox" });
        }
        let archive = archive.unwrap_or_else(|| Archive::new(id.clone()));
        Ok(Held { row, archive, key, generations })
    }
}
