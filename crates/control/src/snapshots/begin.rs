//! What a box's home begins with where there is none.

use smartbox_core::smartbox::{Failure, Reason, Smartbox};
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::snapshot::record::Archive;
use smartbox_core::snapshot::{Begin, RepositoryOf, SnapshotId};
use smartbox_core::store;

use super::act::tell;
use super::book::Held;
use super::settle::edit;
use crate::control::Control;
use crate::error::ControlError;
use crate::keeper::Keeper;

impl Control {
    /// Before a start, and before anything is written: a home that is there is used as it is; one that is
    /// gone is restored from the newest generation. Where that cannot be done the box does not start: never
    /// on a blank home, or on one that somebody's file began.
    pub(crate) async fn begin_home(
        &self,
        keeper: &Keeper,
        row: &Smartbox,
    ) -> Result<(), ControlError> {
        if self.parts.places.place(self.home_of(row)).await?.is_some() {
            return Ok(());
        }
        let held = self.held(&row.id).await?;
        if held.generations.is_empty() && held.archive.origin.is_none() {
            return Ok(());
        }
        keeper.say("restoring its newest snapshot");
        let _turn = self.archiving.of(&row.id).turn.clone().lock_owned().await;
        // Somebody may have put a home in place while this waited for its turn.
        if self.parts.places.place(self.home_of(row)).await?.is_some() {
            return Ok(());
        }
        let held = self.held(&row.id).await?;
        let begun = match self.beginning(&held).await {
            Ok(Some((of, snapshot))) => self.put_in_place(row, of, snapshot).await,
            Ok(None) => return Ok(()),
            Err(error) => Err(error.into()),
        };
        begun.map_err(|error| match error {
            ControlError::Draining | ControlError::Store(_) => error,
            error => self.restore_failed(&error),
        })
    }

    /// Which snapshot of which repository; nothing for a box that never had one.
    async fn beginning(
        &self,
        held: &Held,
    ) -> Result<Option<(RepositoryOf, SnapshotId)>, SnapshotError> {
        let lost = || SnapshotError::Missing { what: "key of its snapshots" };
        if held.generations.is_empty() {
            let Some(origin) = &held.archive.origin else { return Ok(None) };
            let from = self.held(&origin.smartbox).await.ok();
            let key = from.and_then(|from| from.key).ok_or_else(lost)?;
            let of = RepositoryOf { smartbox: origin.smartbox.clone(), key };
            return Ok(Some((of, origin.snapshot.clone())));
        }
        let key = held.key.clone().ok_or_else(lost)?;
        let of = RepositoryOf { smartbox: held.archive.smartbox.clone(), key };
        let shelf = self.parts.snapshots.list(of.clone()).await;
        match held.lineage().begin(shelf) {
            Begin::Blank => Ok(None),
            Begin::Restore(snapshot) => Ok(Some((of, snapshot.id))),
            Begin::Stay(error) => Err(error),
        }
    }

    /// Restores a snapshot where no home is.
    pub(super) async fn put_in_place(
        &self,
        row: &Smartbox,
        of: RepositoryOf,
        snapshot: SnapshotId,
    ) -> Result<(), ControlError> {
        let home = self.home_of(row);
        let stage = self.parts.places.stage(home.clone()).await?;
        self.parts.snapshots.restore(of, snapshot.clone(), stage, None).await?;
        let (id, now) = (row.id.clone(), self.parts.clock.now());
        // Before it is in place: a process that dies in between finds no home, and restores again.
        store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let newest = tx.archives().generations(id.clone()).await?.pop();
                let newest = newest.map(|newest| newest.generation);
                edit(tx, &id, |archive: &mut Archive| {
                    (archive.home, archive.origin) = (newest, None);
                })
                .await?;
                tell(tx, &id, format!("the home is restored from {snapshot}"), now).await
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        self.parts.places.adopt(home).await?;
        Ok(())
    }

    fn restore_failed(&self, error: &ControlError) -> ControlError {
        ControlError::Failed(Failure {
            reason: Reason::RestoreFailed,
            message: format!(
                "Its home is gone, and its newest snapshot could not be restored: {error}."
            ),
            hint: "See to the storage of snapshots; it is tried again. `smartbox snapshot ls` shows those that there are.".into(),
            at: self.parts.clock.now(),
        })
    }
}
