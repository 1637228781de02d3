//! Looking accounts up.

use smartbox_core::account::Account;
use smartbox_core::id::AccountId;
use smartbox_core::store::{self, StoreError, Tx};

use crate::control::Control;
use crate::error::ControlError;

impl Control {
    /// The account with this name or id.
    pub async fn account(&self, name_or_id: &str) -> Result<Account, ControlError> {
        let text = name_or_id.to_owned();
        let found =
            store::read(&*self.parts.store, |tx| Box::pin(async move { account(tx, &text).await }))
                .await?;
        found.ok_or(ControlError::Missing { what: "account" })
    }

    /// Every account, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, ControlError> {
        Ok(store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.accounts().list().await })
        })
        .await?)
    }

    /// Whether the account's smartboxes are to stand still.
    pub(crate) fn idle(&self, account: &AccountId) -> bool {
        self.idle_accounts().contains(account)
    }
}

pub(crate) async fn account(tx: &mut dyn Tx, text: &str) -> Result<Option<Account>, StoreError> {
    match text.parse::<AccountId>() {
        Ok(id) => tx.accounts().get(id).await,
        Err(_) => tx.accounts().named(text.to_owned()).await,
    }
}

/// The account with this id, which is there.
pub(crate) async fn present(tx: &mut dyn Tx, id: AccountId) -> Result<Account, StoreError> {
    tx.accounts().get(id).await?.ok_or(StoreError::Missing { what: "account" })
}
