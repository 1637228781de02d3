//! Removed boxes whose snapshots are still there.
//!
//! A box is buried in the commit that removes its row. What is to go for good lies beneath a tombstone
//! that has run out: the sweep destroys the repository first and forgets the archive then, so that
//! nothing is left in the storage that no record knows of.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::smartbox::{Desired, Smartbox, State, Vitals, name};
use smartbox_core::snapshot::RepositoryOf;
use smartbox_core::snapshot::record::{Archive, Leaving, Tombstone};
use smartbox_core::store::{self, StoreError, Tx};
use smartbox_core::time::Timestamp;

use super::act::note;
use super::settle::edit;
use crate::accounts::find::present;
use crate::boxes::create::insert;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// How a removed box comes back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undelete {
    /// Under another name than it had.
    pub name: Option<String>,
    /// In another account than its own, which may be gone.
    pub account: Option<AccountId>,
}

/// Buries a box whose row goes with this commit. One that nothing was kept of leaves nothing.
pub(crate) async fn bury(
    tx: &mut dyn Tx,
    row: &Smartbox,
    now: Timestamp,
    keep: Duration,
) -> Result<(), StoreError> {
    let Some(archive) = tx.archives().get(row.id.clone()).await? else { return Ok(()) };
    if tx.archives().key(row.id.clone()).await?.is_none() {
        return tx.archives().forget(row.id.clone()).await;
    }
    let until = if archive.leaving == Leaving::Purge { now } else { now.plus(keep) };
    tx.archives().put(Archive { home: None, ..archive }).await?;
    tx.archives().bury(Tombstone { row: row.clone(), removed: now, until }).await
}

impl Control {
    /// The tombstones of an account, or all; the latest first. Those that have run out are gone.
    pub async fn tombstones(
        &self,
        account: Option<AccountId>,
    ) -> Result<Vec<Tombstone>, ControlError> {
        let now = self.parts.clock.now();
        let mut all = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.archives().tombstones(account).await })
        })
        .await?;
        all.retain(|stone| stone.until > now);
        Ok(all)
    }

    async fn tombstone(&self, id: &SmartboxId) -> Result<Tombstone, ControlError> {
        let missing = ControlError::Missing { what: "removed smartbox" };
        let all = self.tombstones(None).await?;
        all.into_iter().find(|stone| stone.row.id == *id).ok_or(missing)
    }

    /// Makes a removed box again: stopped, and restored at its next start.
    pub async fn undelete(
        self: &Arc<Self>,
        actor: &Actor,
        id: &SmartboxId,
        how: Undelete,
    ) -> Result<Smartbox, ControlError> {
        // Not while it is purged.
        let of = self.archiving.of(id);
        let _turn = of.turn.lock().await;
        let stone = self.tombstone(id).await?;
        let row = Smartbox {
            account: how.account.unwrap_or_else(|| stone.row.account.clone()),
            name: how.name.unwrap_or_else(|| stone.row.name.clone()),
            ..at_rest(stone.row)
        };
        name::check(&row.name)?;
        let (actor, now) = (actor.clone(), self.parts.clock.now());
        let made = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let owner = present(tx, row.account.clone()).await?;
                if !owner.active() {
                    return Ok(Err(ControlError::idle(&owner)));
                }
                let row = insert(tx, &owner, row, actor.0.clone()).await?;
                tx.archives().unearth(row.id.clone()).await?;
                edit(tx, &row.id, |archive| {
                    (archive.leaving, archive.home) = (Leaving::Bury, None);
                })
                .await?;
                note(tx, &actor, &row.id, "box.undelete", row.name.clone(), now).await?;
                Ok(Ok(row))
            })
        })
        .await
        .inspect_err(|error| self.heed(error));
        let row = match made {
            Err(StoreError::Exists { what: "PA" }) => {
                return Err(ControlError::Refused {
                    why: "the account has another PA by now".into(),
                    hint: "remove that one first".into(),
                });
            }
            made => made??,
        };
        self.keep(&row);
        Ok(row)
    }

    /// Destroys the snapshots of a removed box for good.
    pub async fn purge(&self, actor: &Actor, id: &SmartboxId) -> Result<(), ControlError> {
        let stone = self.tombstone(id).await?;
        self.note_act(actor, id, "box.purge", stone.row.name.clone()).await?;
        self.destroy(&stone).await
    }

    /// Destroys what has run out.
    pub(super) async fn sweep_tombstones(&self) -> Result<(), ControlError> {
        let all = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.archives().tombstones(None).await })
        })
        .await?;
        let now = self.parts.clock.now();
        for stone in all.into_iter().filter(|stone| stone.until <= now) {
            if let Err(error) = self.destroy(&stone).await {
                // The others may be elsewhere; this one is tried again.
                tracing::warn!(smartbox = %stone.row.id, %error, "the snapshots of a removed smartbox cannot be destroyed");
            }
        }
        Ok(())
    }

    async fn destroy(&self, stone: &Tombstone) -> Result<(), ControlError> {
        let id = &stone.row.id;
        let of = self.archiving.of(id);
        let _turn = of.turn.lock().await;
        let held = match self.held(id).await {
            Err(ControlError::Missing { .. }) => return Ok(()),
            held => held?,
        };
        if held.row.is_some() {
            return Err(ControlError::NotNow {
                why: "the smartbox is there again".into(),
                hint: String::new(),
            });
        }
        let fence = held.archive.lineage(stone.row.epoch, &held.generations).fence;
        if self.is_ours(held.repository()?, fence).await? {
            self.parts.snapshots.destroy(id.clone()).await?;
        }
        let gone = id.clone();
        store::write(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.archives().forget(gone).await })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        self.archiving.forget(id);
        Ok(())
    }

    /// Whether nobody has taken the repository over.
    async fn is_ours(&self, of: RepositoryOf, fence: u64) -> Result<bool, ControlError> {
        let claims = self.parts.snapshots.claims(of, None).await?;
        Ok(claims.iter().all(|claim| claim.fence <= fence))
    }
}

/// A row as it is made again: nothing runs, nothing is wished, nothing went wrong.
pub(super) fn at_rest(row: Smartbox) -> Smartbox {
    Smartbox {
        desired: Desired::Off,
        rest: None,
        state: State::Stopped,
        failure: None,
        alarm: None,
        suspension: None,
        failures: 0,
        retry_at: None,
        removing: false,
        furnished: true,
        vitals: Vitals { engine: row.vitals.engine.clone(), ..Vitals::default() },
        ..row
    }
}
