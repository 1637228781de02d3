//! Boxes in the storage that this installation knows nothing of.

use std::sync::Arc;

use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::{Smartbox, State};
use smartbox_core::snapshot::record::{Archive, Leaving, Record};
use smartbox_core::snapshot::{RepositoryKey, RepositoryOf};
use smartbox_core::store::{self, StoreError};

use super::act::note;
use super::beside::Beside;
use super::bury::at_rest;
use crate::boxes::create::insert;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// Fences of one installation are epochs above its base, which are far fewer than this.
const STRIDE: u64 = 1 << 32;

/// A box in the storage that this installation has no row and no tombstone of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recoverable {
    /// Which one.
    pub id: SmartboxId,
    /// Its name; none if what lies beside it cannot be opened.
    pub name: Option<String>,
    /// The name of its account.
    pub account: Option<String>,
    /// Its newest generation.
    pub newest: Option<Record>,
    /// Why it cannot be recovered.
    pub problem: Option<String>,
}

impl Control {
    /// The boxes in the storage that could be taken over.
    pub async fn recoverable(&self) -> Result<Vec<Recoverable>, ControlError> {
        let mut found = Vec::new();
        for id in self.parts.snapshots.boxes().await? {
            if self.is_known(&id).await? {
                continue;
            }
            found.push(match self.beside(&id).await {
                Ok(beside) => Recoverable {
                    name: Some(beside.row.name.clone()),
                    account: Some(beside.account.clone()),
                    newest: beside.generations.last().cloned(),
                    problem: beside.generations.is_empty().then(|| "it has no snapshot".into()),
                    id,
                },
                Err(ControlError::Store(error)) => return Err(error.into()),
                Err(error) => Recoverable {
                    id,
                    name: None,
                    account: None,
                    newest: None,
                    problem: Some(error.to_string()),
                },
            });
        }
        found.sort_by(|a, b| (&a.account, &a.name, &a.id).cmp(&(&b.account, &b.name, &b.id)));
        Ok(found)
    }

    /// Takes boxes over: account, row and archive are made, and the home is restored at the next start.
    /// The installation that had them before writes nothing more. Stops at the first that cannot be.
    pub async fn recover(
        self: &Arc<Self>,
        actor: &Actor,
        ids: &[SmartboxId],
    ) -> Result<Vec<Smartbox>, ControlError> {
        let mut recovered = Vec::with_capacity(ids.len());
        for id in ids {
            if self.is_known(id).await? {
                return Err(ControlError::Exists { what: "smartbox" });
            }
            let beside = self.beside(id).await?;
            let lost = ControlError::Refused {
                why: format!("{} has no snapshot that could be restored", beside.row.name),
                hint: String::new(),
            };
            let (Some(key), false) = (beside.key(), beside.generations.is_empty()) else {
                return Err(lost);
            };
            recovered.push(self.take_over(actor, beside, key).await?);
        }
        Ok(recovered)
    }

    async fn is_known(&self, id: &SmartboxId) -> Result<bool, ControlError> {
        match self.held(id).await {
            Err(ControlError::Missing { .. }) => Ok(false),
            held => held.map(|_| true),
        }
    }

    async fn beside(&self, id: &SmartboxId) -> Result<Beside, ControlError> {
        let missing = ControlError::Missing { what: "record beside its snapshots" };
        let sealed = self.parts.snapshots.record(id.clone()).await?.ok_or(missing)?;
        self.open_beside(id, sealed).await
    }

    async fn take_over(
        self: &Arc<Self>,
        actor: &Actor,
        beside: Beside,
        key: RepositoryKey,
    ) -> Result<Smartbox, ControlError> {
        let id = beside.row.id.clone();
        let of = RepositoryOf { smartbox: id.clone(), key: key.clone() };
        let claims = self.parts.snapshots.claims(of, None).await?;
        let last = beside.archive.base.saturating_add(beside.row.epoch);
        let seen = claims.iter().map(|claim| claim.fence).fold(last, u64::max);
        let base = (seen / STRIDE).saturating_add(1).saturating_mul(STRIDE);
        let owner = self.ensure_account(&beside.account).await?;
        if !owner.active() {
            return Err(ControlError::idle(&owner));
        }
        let desired = beside.row.desired;
        let row = Smartbox { account: owner.id.clone(), desired, ..at_rest(beside.row) };
        let row = Smartbox { state: State::Stopped, ..self.known_here(row)? };
        // A home that is there nevertheless, of records that were lost, is the newest there is.
        let there = self.parts.places.place(self.home_of(&row)).await?.is_some();
        let newest = beside.generations.last().map(|newest| newest.generation);
        let archive = Archive {
            base,
            home: newest.filter(|_| there),
            leaving: Leaving::Bury,
            ..beside.archive
        };
        let (generations, actor, now) = (beside.generations, actor.clone(), self.parts.clock.now());
        let made = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let row = insert(tx, &owner, row, actor.0.clone()).await?;
                tx.archives().put(archive).await?;
                tx.archives().set_key(row.id.clone(), key).await?;
                for record in generations {
                    tx.archives().put_generation(row.id.clone(), record).await?;
                }
                note(tx, &actor, &row.id, "box.recover", row.name.clone(), now).await?;
                Ok(row)
            })
        })
        .await
        .inspect_err(|error| self.heed(error));
        let row = match made {
            Err(StoreError::Exists { what: "PA" }) => {
                return Err(ControlError::Refused {
                    why: "the account has another PA already".into(),
                    hint: "remove that one first".into(),
                });
            }
            made => made?,
        };
        self.keep(&row);
        Ok(row)
    }

    /// A row of another installation with a tier and an engine of this one.
    fn known_here(&self, row: Smartbox) -> Result<Smartbox, ControlError> {
        let settings = &self.parts.settings;
        let tier = match settings.tiers.contains_key(&row.tier) {
            true => row.tier.clone(),
            false => settings.default_tier.clone(),
        };
        self.engine(&row.engine)?;
        Ok(Smartbox { tier, running_tier: None, ..row })
    }
}
