//! Making a smartbox.

use std::sync::Arc;

use smartbox_core::account::Account;
use smartbox_core::audit::Act;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::labels::Labels;
use smartbox_core::smartbox::{Desired, Kind, Smartbox, name};
use smartbox_core::store::{self, StoreError, Tx};

use crate::accounts::create::check_display;
use crate::accounts::find::present;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// What a caller may decide of a new smartbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSmartbox {
    /// Unique in its account, for ever.
    pub name: String,
    /// What people call it; its name if empty.
    pub display: String,
    /// What its owner sorts it by.
    pub labels: Labels,
    /// The template that it is made from.
    pub kind: Kind,
    /// Its tier; its kind's or the default one if none.
    pub tier: Option<String>,
    /// Its engine; the default one if none.
    pub engine: Option<String>,
    /// What is wished of it.
    pub desired: Desired,
}

impl NewSmartbox {
    /// One with nothing special about it.
    pub fn of(name: &str, kind: Kind, desired: Desired) -> Self {
        Self {
            name: name.to_owned(),
            display: String::new(),
            labels: Labels::default(),
            kind,
            tier: None,
            engine: None,
            desired,
        }
    }
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
        check_display(&new.display)?;
        let row = self.blank(account, new)?;
        let (owner, by) = (account.clone(), actor.0.clone());
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
        let row = match made {
            Err(StoreError::Exists { what: "PA" }) => {
                return Err(ControlError::Refused {
                    why: "the account has its PA already".into(),
                    hint: "make one of another kind: `smartbox kind ls` shows them".into(),
                });
            }
            made => made??,
        };
        self.keep(&row);
        Ok(row)
    }

    /// The row of a new smartbox, but for what only the records know.
    pub(crate) fn blank(
        &self,
        account: &AccountId,
        new: NewSmartbox,
    ) -> Result<Smartbox, ControlError> {
        let settings = &self.parts.settings;
        let template = self.parts.kinds.get(&new.kind).ok_or_else(|| ControlError::Refused {
            why: format!("there is no kind `{}`", new.kind),
            hint: "`smartbox kind ls` shows those that there are".into(),
        })?;
        let tier = new.tier.or_else(|| template.tier.clone());
        let tier = tier.unwrap_or_else(|| settings.default_tier.clone());
        self.known_tier(&tier)?;
        let engine = match new.engine {
            Some(name) => self.engine(&name)?,
            None => self.parts.engines.first().ok_or_else(|| ControlError::Refused {
                why: "no engine is installed".into(),
                hint: "run `smartbox doctor`".into(),
            })?,
        };
        let id = SmartboxId::generate(&*self.parts.entropy);
        let now = self.parts.clock.now();
        Ok(Smartbox {
            display: new.display,
            labels: new.labels,
            kind: new.kind,
            base: template.base,
            tier,
            engine: engine.engine.manifest().name.clone(),
            desired: new.desired,
            ..Smartbox::new(id, account.clone(), new.name, now)
        })
    }
}

/// Adds the row under a free host label and slot, together with the act.
pub(crate) async fn insert(
    tx: &mut dyn Tx,
    owner: &Account,
    mut row: Smartbox,
    by: String,
) -> Result<Smartbox, StoreError> {
    row.label = free_label(tx, &row.name, &owner.name).await?;
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
}

async fn free_label(tx: &mut dyn Tx, name: &str, account: &str) -> Result<String, StoreError> {
    let mut search = name::Search::new(name, account);
    loop {
        let taken = tx.boxes().labelled(search.asks()).await?.is_some();
        if let Some(label) = search.heard(taken) {
            return Ok(label);
        }
    }
}
