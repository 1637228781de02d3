//! What becomes of a box's snapshots when it is removed.

use smartbox_core::audit::Act;
use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::record::{Archive, Leaving};
use smartbox_core::store::{self, StoreError};

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// Removes a box: with a last snapshot beneath a tombstone ([`Leaving::Bury`]; it waits and says why
    /// while that cannot be taken), with one if that can be done ([`Leaving::Force`]), or with all of its
    /// snapshots, for good ([`Leaving::Purge`]). Of one that waits the last word counts.
    pub async fn remove_with(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        leaving: Leaving,
    ) -> Result<(), ControlError> {
        let (wanted, actor, now) = (id.clone(), actor.0.clone(), self.parts.clock.now());
        store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let missing = StoreError::Missing { what: "smartbox" };
                let mut row = tx.boxes().get(wanted.clone()).await?.ok_or(missing)?;
                let known = tx.archives().get(wanted.clone()).await?;
                if known.is_some() || leaving != Leaving::Bury {
                    let archive = known.unwrap_or_else(|| Archive::new(wanted));
                    tx.archives().put(Archive { leaving, ..archive }).await?;
                }
                row.removing = true;
                let act = Act {
                    account: row.account.clone(),
                    actor,
                    action: "box.remove".into(),
                    smartbox: Some(row.id.clone()),
                    detail: match leaving {
                        Leaving::Bury => String::new(),
                        Leaving::Force => "with or without a last snapshot".into(),
                        Leaving::Purge => "with its snapshots".into(),
                    },
                    at: now,
                };
                tx.boxes().put(row).await?;
                tx.audit().append(act).await
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        if let Some(keeper) = self.keeper(id) {
            keeper.unsettle();
            keeper.nudge();
        }
        Ok(())
    }
}
