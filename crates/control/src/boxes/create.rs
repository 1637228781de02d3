//! Making a smartbox.

use std::sync::Arc;

use smartbox_core::audit::Act;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::smartbox::{Desired, Kind, Smartbox, State, name};
use smartbox_core::store::{self, StoreError};

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// What a caller may decide of a new smartbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSmartbox {
    /// Unique in its account.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// Its tier; the default one if none.
    pub tier: Option<String>,
    /// Its engine; the default one if none.
    pub engine: Option<String>,
    /// What is wished of it.
    pub desired: Desired,
}

impl Control {
    /// Makes a smartbox. Its sandbox follows by itself if it is wished to run.
    pub async fn create(
        self: &Arc<Self>,
        actor: &Actor,
        account: &AccountId,
        new: NewSmartbox,
    ) -> Result<Smartbox, ControlError> {
        name::check(&new.name)?;
        let row = self.blank(account, new)?;
        let (owner, by) = (account.clone(), actor.0.clone());
        let row = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let owner = tx
                    .accounts()
                    .get(owner)
                    .await?
                    .ok_or(StoreError::Missing { what: "account" })?;
                let taken: Vec<String> =
                    tx.boxes().list(None).await?.into_iter().map(|b| b.label).collect();
                let mut row = row;
                row.label =
                    name::label(&row.name, &owner.name, |label| taken.iter().any(|t| t == label));
                row.slot = tx.boxes().free_slot().await?;
                tx.boxes().add(row.clone()).await?;
                let act = Act {
                    account: row.account.clone(),
                    actor: by,
                    action: "box.create".into(),
                    smartbox: Some(row.id.clone()),
                    detail: format!("{} ({})", row.name, row.kind),
                    at: row.created,
                };
                tx.audit().append(act).await?;
                Ok(row)
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        self.keep(&row);
        Ok(row)
    }

    fn blank(&self, account: &AccountId, new: NewSmartbox) -> Result<Smartbox, ControlError> {
        let settings = &self.parts.settings;
        let tier = new.tier.unwrap_or_else(|| settings.default_tier.clone());
        if !settings.tiers.contains_key(&tier) {
            let known: Vec<_> = settings.tiers.keys().map(String::as_str).collect();
            return Err(ControlError::Refused {
                why: format!("there is no tier `{tier}`"),
                hint: format!("choose one of {}", known.join(", ")),
            });
        }
        let engine = match new.engine {
            Some(name) => self.engine(&name)?,
            None => self.parts.engines.first().ok_or_else(|| ControlError::Refused {
                why: "no engine is installed".into(),
                hint: "run `smartbox doctor`".into(),
            })?,
        };
        let now = self.parts.clock.now();
        Ok(Smartbox {
            id: SmartboxId::generate(&*self.parts.entropy),
            account: account.clone(),
            label: new.name.clone(),
            name: new.name,
            kind: new.kind,
            tier,
            engine: engine.engine.manifest().name.clone(),
            desired: new.desired,
            rest: None,
            state: State::Stopped,
            failure: None,
            epoch: 0,
            restart: 0,
            restarted: 0,
            slot: 0,
            alarm: None,
            suspension: None,
            last_active: now,
            failures: 0,
            retry_at: None,
            removing: false,
            created: now,
        })
    }
}
