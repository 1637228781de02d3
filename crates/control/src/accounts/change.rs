//! Changing an account.

use smartbox_core::account::Account;
use smartbox_core::id::AccountId;
use smartbox_core::store;

use super::create::{account_act, check_display};
use super::find::present;
use crate::boxes::change::{LabelChange, relabelled, stale};
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// What is to be different; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// What people call it.
    pub display: Option<String>,
    /// Labels to set, and with none to remove.
    pub labels: LabelChange,
    /// Stops its smartboxes and refuses its tokens, until it is undone.
    pub disabled: Option<bool>,
}

impl Control {
    /// Changes an account, if it is still at this revision.
    pub async fn change_account(
        &self,
        actor: &Actor,
        id: &AccountId,
        change: AccountChange,
        revision: Option<u64>,
    ) -> Result<Account, ControlError> {
        if let Some(display) = &change.display {
            check_display(display)?;
        }
        let (wanted, actor, now) = (id.clone(), actor.clone(), self.parts.clock.now());
        let changed = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let before = present(tx, wanted).await?;
                if stale(revision, before.revision) {
                    return Ok(Err(ControlError::Stale { revision: before.revision }));
                }
                let labels = match relabelled(&before.labels, change.labels) {
                    Ok(labels) => labels,
                    Err(error) => return Ok(Err(error)),
                };
                let mut after = before.clone();
                after.labels = labels;
                after.display = change.display.unwrap_or(after.display);
                after.disabled = change.disabled.unwrap_or(after.disabled);
                if after != before {
                    after.revision += 1;
                    tx.accounts().put(after.clone()).await?;
                    let mut act = account_act(&after, &actor, "account.change");
                    act.at = now;
                    act.detail = differences(&before, &after);
                    tx.audit().append(act).await?;
                }
                Ok(Ok(after))
            })
        })
        .await
        .inspect_err(|error| self.heed(error))??;
        self.mark(&changed);
        self.nudge_all(&changed.id).await?;
        Ok(changed)
    }

    /// Remembers whether the account's smartboxes are to stand still.
    pub(super) fn mark(&self, account: &Account) {
        let mut idle = self.idle_accounts();
        if account.active() {
            idle.remove(&account.id);
        } else {
            idle.insert(account.id.clone());
        }
    }

    /// Has every keeper of an account look again.
    pub(super) async fn nudge_all(&self, account: &AccountId) -> Result<(), ControlError> {
        for row in self.list(account).await? {
            if let Some(keeper) = self.keeper(&row.id) {
                keeper.unsettle();
                keeper.nudge();
            }
        }
        Ok(())
    }
}

fn differences(before: &Account, after: &Account) -> String {
    let mut words = Vec::new();
    if before.display != after.display {
        words.push("display");
    }
    if before.labels != after.labels {
        words.push("labels");
    }
    match (before.disabled, after.disabled) {
        (false, true) => words.push("disabled"),
        (true, false) => words.push("enabled"),
        _ => {}
    }
    words.join(", ")
}
