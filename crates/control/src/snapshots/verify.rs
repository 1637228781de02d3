//! Reading snapshots back.

use std::sync::Arc;

use smartbox_core::id::SmartboxId;
use smartbox_core::issue::Kind;
use smartbox_core::snapshot::Generation;
use smartbox_core::snapshot::port::{SnapshotError, Verified};
use smartbox_core::snapshot::record::{Record, Trouble, Why};
use smartbox_core::store;

use super::book::Held;
use super::settle::edit;
use crate::control::Control;
use crate::error::ControlError;
use crate::issues::Cause;

impl Control {
    /// Reads back one generation, or everything. What is damaged is told, and a snapshot is taken that
    /// writes anew what is still in the home: of a box at rest, too, of which none would be taken.
    pub(crate) async fn verify_snapshots(
        self: &Arc<Self>,
        id: &SmartboxId,
        generation: Option<Generation>,
    ) -> Result<Verified, ControlError> {
        let verified = self.read_back(id, generation).await;
        if let Err(ControlError::Snapshot(SnapshotError::Corrupt { .. })) = verified
            && self.keeper(id).is_some()
            && let Err(error) = self.take_snapshot(id, Why::Change, None).await
        {
            tracing::warn!(smartbox = %id, %error, "what is damaged is not written anew yet");
        }
        verified
    }

    /// A snapshot could not be taken, for something in its repository is damaged. What, is found out by
    /// reading everything, and noted, so that the next try puts it right.
    pub(super) async fn find_damage(self: &Arc<Self>, id: &SmartboxId) {
        match self.read_back(id, None).await {
            Ok(_) => tracing::warn!(smartbox = %id, "nothing was found to be damaged"),
            Err(error) => tracing::warn!(smartbox = %id, %error, "what is damaged was looked for"),
        }
    }

    async fn read_back(
        self: &Arc<Self>,
        id: &SmartboxId,
        generation: Option<Generation>,
    ) -> Result<Verified, ControlError> {
        let held = self.held(id).await?;
        let of = held.repository()?;
        let one = match generation {
            Some(_) => Some(held.generation(generation)?.snapshot.clone()),
            None => None,
        };
        match self.parts.snapshots.verify(of, one).await {
            Ok(verified) => {
                self.note_verified(id, generation, held.generations).await?;
                if generation.is_none() {
                    self.settle_issues(id, &[Kind::SnapshotDamaged]).await;
                }
                Ok(verified)
            }
            Err(error) => {
                if let SnapshotError::Corrupt { .. } = error {
                    self.damaged(&held, &error).await?;
                }
                Err(error.into())
            }
        }
    }

    async fn note_verified(
        &self,
        id: &SmartboxId,
        generation: Option<Generation>,
        generations: Vec<Record>,
    ) -> Result<(), ControlError> {
        let (id, now) = (id.clone(), self.parts.clock.now());
        Ok(store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let there = tx.archives().generations(id.clone()).await?;
                let read = |one: &Record| generation.is_none_or(|wanted| wanted == one.generation);
                // One that was pruned meanwhile stays gone; one that came meanwhile was not read.
                for one in generations.into_iter().filter(read) {
                    if there.iter().any(|known| known.snapshot == one.snapshot) {
                        let record = Record { verified: Some(now), ..one };
                        tx.archives().put_generation(id.clone(), record).await?;
                    }
                }
                Ok(())
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?)
    }

    async fn damaged(&self, held: &Held, error: &SnapshotError) -> Result<(), ControlError> {
        let (id, now) = (held.archive.smartbox.clone(), self.parts.clock.now());
        let message = error.to_string();
        let (wanted, told) = (id.clone(), message.clone());
        store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let trouble = Trouble { since: now, message: told };
                edit(tx, &wanted, |archive| archive.trouble = Some(trouble)).await
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        let Some(row) = &held.row else { return Ok(()) };
        self.raise(Cause {
            kind: Kind::SnapshotDamaged,
            account: Some(row.account.clone()),
            smartbox: Some(id),
            about: String::new(),
            message: format!("{}: a snapshot is not as it was written: {message}.", row.name),
            hint: format!(
                "The next one writes anew what is damaged; `smartbox snapshot verify {}` tells whether all is well then.",
                row.name
            ),
        })
        .await;
        Ok(())
    }
}
