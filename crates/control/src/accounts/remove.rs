//! Removing an account.
//!
//! The wish is one commit: the account and each of its boxes say that they are to be removed. The
//! keepers do the rest, each its box; the one that forgets the last box buries the account in the
//! same commit. So a kill at any moment leaves a wish that the next process goes on with.

use std::time::Duration;

use smartbox_core::account::Account;
use smartbox_core::audit::Act;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::store::{self, StoreError, Tx};
use smartbox_core::time::Timestamp;

use super::create::account_act;
use super::find::present;
use crate::boxes::change::stale;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// Removes an account for good; with `boxes` also its smartboxes, homes and all. Its audit
    /// stays. When this returns it is gone, or on its way out with its last boxes.
    pub async fn remove_account(
        &self,
        actor: &Actor,
        id: &AccountId,
        boxes: bool,
        revision: Option<u64>,
    ) -> Result<Vec<SmartboxId>, ControlError> {
        let (wanted, actor, now) = (id.clone(), actor.clone(), self.parts.clock.now());
        let (account, rows) = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let account = present(tx, wanted).await?;
                if stale(revision, account.revision) {
                    return Ok(Err(ControlError::Stale { revision: account.revision }));
                }
                let rows = tx.boxes().list(Some(account.id.clone())).await?;
                if !boxes && !rows.is_empty() {
                    return Ok(Err(ControlError::Refused {
                        why: format!("{} has {} smartboxes", account.name, rows.len()),
                        hint: "remove them first, or with it: `smartbox account rm --boxes`".into(),
                    }));
                }
                Ok(Ok(wish_gone(tx, account, rows, &actor, now).await?))
            })
        })
        .await
        .inspect_err(|error| self.heed(error))??;
        self.mark(&account);
        self.nudge_all(id).await?;
        Ok(rows)
    }

    /// Waits until none of these smartboxes is there. False if it took longer.
    pub async fn gone(&self, rows: &[SmartboxId], within: Duration) -> bool {
        let all = async {
            for id in rows {
                if let Some(keeper) = self.keeper(id) {
                    let mut seen = keeper.watch();
                    // An error means that the keeper ended, which it does when its box is gone.
                    let _ = seen.wait_for(|now| now.gone).await;
                }
            }
        };
        tokio::time::timeout(within, all).await.is_ok()
    }
}

async fn wish_gone(
    tx: &mut dyn Tx,
    mut account: Account,
    rows: Vec<smartbox_core::smartbox::Smartbox>,
    actor: &Actor,
    now: Timestamp,
) -> Result<(Account, Vec<SmartboxId>), StoreError> {
    let mut act = account_act(&account, actor, "account.remove");
    act.at = now;
    tx.audit().append(act.clone()).await?;
    let mut ids = Vec::with_capacity(rows.len());
    for mut row in rows {
        ids.push(row.id.clone());
        if !row.removing {
            row.removing = true;
            let smartbox = Some(row.id.clone());
            let detail = row.name.clone();
            tx.boxes().put(row).await?;
            let action = "box.remove".to_owned();
            tx.audit().append(Act { action, smartbox, detail, ..act.clone() }).await?;
        }
    }
    if !account.removing {
        account.removing = true;
        account.revision += 1;
        tx.accounts().put(account.clone()).await?;
    }
    bury_if_empty(tx, &account.id, now).await?;
    Ok((account, ids))
}

/// Buries an account that is to be removed and has no box left.
pub(crate) async fn bury_if_empty(
    tx: &mut dyn Tx,
    id: &AccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let account = tx.accounts().get(id.clone()).await?;
    if account.is_none_or(|account| !account.removing) {
        return Ok(());
    }
    match tx.accounts().bury(id.clone(), now).await {
        Err(StoreError::Exists { .. }) => Ok(()),
        buried => buried,
    }
}
