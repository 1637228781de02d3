//! What becomes of a snapshot that was taken, and of one that was not.

use smartbox_core::id::SmartboxId;
use smartbox_core::issue::Kind;
use smartbox_core::snapshot::Claim;
use smartbox_core::snapshot::Settle;
use smartbox_core::snapshot::port::Taken;
use smartbox_core::snapshot::record::{Archive, Record, Trouble, Why};
use smartbox_core::store::{self, Tx};
use smartbox_core::time::Timestamp;

use super::act::tell;
use crate::control::Control;
use crate::error::ControlError;
use crate::issues::Cause;

/// What a snapshot became.
pub(super) enum Settled {
    /// A generation.
    Named(Box<Record>),
    /// Nothing: its claim is not the row's any more.
    Orphan,
}

impl Control {
    /// Names a snapshot, if the row is still the one that it was taken for.
    pub(super) async fn settle_claim(
        &self,
        id: &SmartboxId,
        claim: Claim,
        taken: &Taken,
        why: Why,
        at: Timestamp,
    ) -> Result<Settled, ControlError> {
        let record = Record {
            generation: claim.generation,
            snapshot: taken.snapshot.id.clone(),
            taken: at,
            why,
            files: taken.snapshot.files,
            bytes: taken.snapshot.bytes,
            added: taken.added,
            // Whatever it added was read back before it was acknowledged, and the rest had been before.
            verified: Some(at),
        };
        let id = id.clone();
        Ok(store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let row = tx.boxes().get(id.clone()).await?;
                let (Some(row), Some(archive)) = (row, tx.archives().get(id.clone()).await?) else {
                    return Ok(Settled::Orphan);
                };
                let generations = tx.archives().generations(id.clone()).await?;
                let lineage = archive.lineage(row.epoch, &generations);
                if lineage.settle(&claim) == Settle::Orphan {
                    return Ok(Settled::Orphan);
                }
                tx.archives().put_generation(id.clone(), record.clone()).await?;
                let home = Some(claim.generation);
                let archive = Archive { home, fresh: Some(at), trouble: None, ..archive };
                tx.archives().put(archive).await?;
                let told = format!("generation {} ({why})", claim.generation.0);
                tell(tx, &id, told, at).await?;
                Ok(Settled::Named(Box::new(record)))
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?)
    }

    /// Notes why there is no newer generation. Of one that should have been taken before something else
    /// somebody is told.
    pub(super) async fn not_taken(
        &self,
        id: &SmartboxId,
        why: Why,
        error: ControlError,
    ) -> ControlError {
        if matches!(error, ControlError::Draining | ControlError::Store(_)) {
            return error;
        }
        let message = error.to_string();
        tracing::warn!(smartbox = %id, %why, error = %message, "a snapshot was not taken");
        if let Err(error) = self.note_trouble(id, &message).await {
            tracing::warn!(smartbox = %id, %error, "that a snapshot was not taken cannot be written");
        }
        let row = self.row(id).await.ok().flatten();
        if let (Some(row), false) = (row, matches!(why, Why::Change | Why::Asked)) {
            self.raise(Cause {
                kind: Kind::SnapshotFailed,
                account: Some(row.account),
                smartbox: Some(row.id),
                about: String::new(),
                message: format!("{}: no snapshot was taken ({why}): {message}.", row.name),
                hint: format!(
                    "See to the storage of snapshots, then `smartbox snapshot take {}`.",
                    row.name
                ),
            })
            .await;
        }
        error
    }

    async fn note_trouble(&self, id: &SmartboxId, message: &str) -> Result<(), ControlError> {
        let (id, message, now) = (id.clone(), message.to_owned(), self.parts.clock.now());
        Ok(store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                if tx.boxes().get(id.clone()).await?.is_none() {
                    return Ok(());
                }
                let known = tx.archives().get(id.clone()).await?;
                let mut archive = known.unwrap_or_else(|| Archive::new(id));
                let since = archive.trouble.as_ref().map_or(now, |trouble| trouble.since);
                let trouble = Some(Trouble { since, message });
                if archive.trouble == trouble {
                    return Ok(());
                }
                archive.trouble = trouble;
                tx.archives().put(archive).await
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?)
    }
}

/// Changes an archive that is there.
pub(super) async fn edit(
    tx: &mut dyn Tx,
    id: &SmartboxId,
    edit: impl FnOnce(&mut Archive) + Send,
) -> Result<(), store::StoreError> {
    if let Some(mut archive) = tx.archives().get(id.clone()).await? {
        edit(&mut archive);
        tx.archives().put(archive).await?;
    }
    Ok(())
}
