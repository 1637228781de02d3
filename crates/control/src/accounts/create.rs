//! Making an account, and with it its PA.

use std::sync::Arc;

use smartbox_core::account::Account;
use smartbox_core::audit::Act;
use smartbox_core::id::AccountId;
use smartbox_core::labels::Labels;
use smartbox_core::smartbox::{Desired, Kind, Smartbox, name};
use smartbox_core::store;

use crate::boxes::create::{NewSmartbox, insert};
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// The name of every PA.
const PA: &str = "pa";

/// What an operator decides of a new account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewAccount {
    /// Unique in the installation, for ever.
    pub name: String,
    /// What people call it.
    pub display: String,
    /// What the operator sorts it by.
    pub labels: Labels,
}

impl Control {
    /// Makes an account with its PA: both or neither.
    pub async fn new_account(
        self: &Arc<Self>,
        actor: &Actor,
        new: NewAccount,
        pa: Desired,
    ) -> Result<(Account, Smartbox), ControlError> {
        name::check(&new.name)?;
        check_display(&new.display)?;
        let id = AccountId::generate(&*self.parts.entropy);
        let now = self.parts.clock.now();
        let NewAccount { name, display, labels } = new;
        let account = Account { display, labels, ..Account::new(id, name, now) };
        let row = self.blank(&account.id, NewSmartbox::of(PA, Kind::PA, pa))?;
        let act = account_act(&account, actor, "account.create");
        let by = actor.0.clone();
        let (account, row) = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                tx.accounts().add(account.clone()).await?;
                tx.audit().append(act).await?;
                let row = insert(tx, &account, row, by).await?;
                Ok((account, row))
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        self.keep(&row);
        Ok((account, row))
    }
}

/// What was done to an account, for its audit.
pub(super) fn account_act(account: &Account, actor: &Actor, action: &str) -> Act {
    Act {
        account: account.id.clone(),
        actor: actor.0.clone(),
        action: action.to_owned(),
        smartbox: None,
        detail: account.name.clone(),
        at: account.created,
    }
}

/// What people call a thing: one line.
pub(crate) fn check_display(text: &str) -> Result<(), ControlError> {
    let good = text.chars().count() <= 100 && !text.chars().any(char::is_control);
    let refused = || ControlError::Refused {
        why: "that is not a display name".into(),
        hint: "write one line of at most 100 characters".into(),
    };
    good.then_some(()).ok_or_else(refused)
}
