//! Removing what is no longer kept.
//!
//! First the records forget a generation, then the storage does: killed in between, what is left is an
//! orphan, which the next pruning finds. No row ever names what is not there.

use std::collections::HashSet;
use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::port::Pruned;
use smartbox_core::snapshot::{Dated, Generation, Shelf, SnapshotId, Standing};
use smartbox_core::store;

use super::settle::edit;
use crate::control::Control;
use crate::error::ControlError;

/// How often a box's snapshots are pruned.
const EVERY: Duration = Duration::from_hours(24);

impl Control {
    /// Removes the generations of a box that are no longer kept, and what never became one. Only the
    /// present owner does.
    pub(crate) async fn prune_snapshots(&self, id: &SmartboxId) -> Result<Pruned, ControlError> {
        let of = self.archiving.of(id);
        let _turn = of.turn.lock().await;
        let held = self.held(id).await?;
        if held.row.is_none() {
            return Err(ControlError::Missing { what: "smartbox" });
        }
        let Ok(repository) = held.repository() else { return Ok(Pruned::default()) };
        let lineage = held.lineage();
        let newest = lineage.newest().map(|newest| newest.generation);
        let claims = self.parts.snapshots.claims(repository.clone(), newest).await?;
        if claims.iter().any(|claim| !lineage.may_prune(claim.fence) && claim.fence > lineage.fence)
        {
            return Err(ControlError::Refused {
                why: "another installation has taken this smartbox over".into(),
                hint: "remove it here; it lives there".into(),
            });
        }
        let keep = held.archive.keep.unwrap_or(self.parts.settings.snapshots.keep);
        let dated = |record: &smartbox_core::snapshot::record::Record| Dated {
            generation: record.generation,
            taken: record.taken,
        };
        let all: Vec<Dated> = held.generations.iter().map(dated).collect();
        let kept = keep.choose(&all);
        let gone = held.generations.iter().zip(&kept).filter(|(_, kept)| !**kept);
        let (numbers, mut remove): (Vec<Generation>, Vec<SnapshotId>) =
            gone.map(|(one, _)| (one.generation, one.snapshot.clone())).unzip();
        // As the storage says it: also what an earlier process left half pruned.
        if let Shelf::Some(found) = self.parts.snapshots.list(repository.clone()).await? {
            let orphans = found.into_iter().filter(|one| lineage.standing(one) == Standing::Orphan);
            remove.extend(orphans.map(|one| one.id));
        }
        let kept: HashSet<&SnapshotId> = held
            .generations
            .iter()
            .zip(&kept)
            .filter(|(_, kept)| **kept)
            .map(|(one, _)| &one.snapshot)
            .collect();
        remove.retain(|id| !kept.contains(id));
        self.forget_generations(id, numbers).await?;
        let pruned = self.parts.snapshots.prune(repository, remove, newest).await?;
        let (wanted, now) = (id.clone(), self.parts.clock.now());
        store::write(&*self.parts.store, move |tx| {
            Box::pin(async move { edit(tx, &wanted, |archive| archive.pruned = Some(now)).await })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        Ok(pruned)
    }

    async fn forget_generations(
        &self,
        id: &SmartboxId,
        numbers: Vec<Generation>,
    ) -> Result<(), ControlError> {
        if numbers.is_empty() {
            return Ok(());
        }
        let id = id.clone();
        Ok(store::write(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.archives().drop_generations(id, numbers).await })
        })
        .await
        .inspect_err(|error| self.heed(error))?)
    }

    /// Prunes what was not for a day.
    pub(super) async fn prune_all(&self) -> Result<(), ControlError> {
        let now = self.parts.clock.now();
        for row in self.list_all().await? {
            let held = self.held(&row.id).await?;
            // A clock that moved back makes the last one lie ahead: then it is due.
            let since = held.archive.pruned.filter(|at| *at <= now).map(|at| now.since(at));
            if held.generations.is_empty() || since.is_some_and(|since| since < EVERY) {
                continue;
            }
            if let Err(error) = self.prune_snapshots(&row.id).await {
                tracing::warn!(smartbox = %row.id, %error, "its snapshots cannot be pruned");
            }
        }
        Ok(())
    }
}
