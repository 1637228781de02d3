//! A home that was put together becomes that of a box. The row comes first and says that the box is being
//! removed, so that whoever is killed before the end leaves something that the next start takes away.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use smartbox_core::audit::Act;
use smartbox_core::home::HomeOf;
use smartbox_core::home::port::FileError;
use smartbox_core::id::AccountId;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::store;

use super::raw::remove;
use crate::accounts::find::present;
use crate::boxes::create::insert;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// Adds the row of a box that is not there yet.
    pub(super) async fn reserve(
        &self,
        actor: &Actor,
        account: &AccountId,
        row: Smartbox,
    ) -> Result<Smartbox, ControlError> {
        let (owner, by) = (account.clone(), actor.0.clone());
        let row = Smartbox { removing: true, furnished: true, ..row };
        let made = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let owner = present(tx, owner).await?;
                if !owner.active() {
                    return Ok(Err(ControlError::idle(&owner)));
                }
                insert(tx, &owner, row, by).await.map(Ok)
            })
        })
        .await
        .inspect_err(|error| self.heed(error));
        match made {
            Err(store::StoreError::Exists { what: "PA" }) => Err(super::refused(
                "the account has its PA already",
                "import it as another kind: `--kind custom`",
            )),
            made => made?,
        }
    }

    /// Gives what is staged to a reserved row, with what its records tell, and lets it be one. What lies
    /// aside on the stage is no part of the home.
    pub(super) async fn seat(
        self: &Arc<Self>,
        actor: &Actor,
        row: Smartbox,
        told: String,
        history: &[PathBuf],
        aside: PathBuf,
    ) -> Result<(Smartbox, u64), ControlError> {
        let mut messages = 0;
        for part in history.iter().rev() {
            let lines = read(part).await?;
            messages += self.take_history(&row.id, &lines).await?;
        }
        let tidied = tokio::task::spawn_blocking(move || remove(&aside)).await;
        let broken = |e| FileError::Broken { doing: "tidying up", source: Box::new(e) };
        tidied.map_err(broken)??;
        let limits = self.parts.settings.tiers.get(&row.tier);
        let of = HomeOf {
            smartbox: row.id.clone(),
            slot: row.slot,
            disk_bytes: limits.map_or(0, |limits| limits.disk_bytes),
        };
        self.parts.places.adopt(of).await?;
        let (id, now, by) = (row.id.clone(), self.parts.clock.now(), actor.0.clone());
        let row = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let row = tx.boxes().get(id).await?;
                let mut row = row.ok_or(store::StoreError::Missing { what: "smartbox" })?;
                let owner = present(tx, row.account.clone()).await?;
                if !owner.active() {
                    return Ok(Err(ControlError::idle(&owner)));
                }
                row.removing = false;
                tx.boxes().put(row.clone()).await?;
                let act = Act {
                    account: row.account.clone(),
                    actor: by,
                    action: "box.import".into(),
                    smartbox: Some(row.id.clone()),
                    detail: told,
                    at: now,
                };
                tx.audit().append(act).await?;
                Ok(Ok(row))
            })
        })
        .await
        .inspect_err(|error| self.heed(error))??;
        Ok((row, messages))
    }
}

async fn read(part: &Path) -> Result<Vec<u8>, ControlError> {
    let part = part.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read(part)).await;
    let broken = |source| FileError::Broken { doing: "reading the history", source };
    let read = read.map_err(|e| broken(e.into()))?;
    read.map_err(|e| broken(e.into()).into())
}
