//! Looking smartboxes up. Wakes nothing.

use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::smartbox::Smartbox;
use smartbox_core::store;

use crate::control::Control;
use crate::error::ControlError;

impl Control {
    /// The smartboxes of an account, by name.
    pub async fn list(&self, account: &AccountId) -> Result<Vec<Smartbox>, ControlError> {
        let account = Some(account.clone());
        Ok(store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.boxes().list(account).await })
        })
        .await?)
    }

    /// The smartbox of an account with this name or id. Another account's is missing.
    pub async fn find(
        &self,
        account: &AccountId,
        name_or_id: &str,
    ) -> Result<Smartbox, ControlError> {
        let (account, text) = (account.clone(), name_or_id.to_owned());
        let found = store::read(&*self.parts.store, |tx| {
            Box::pin(async move {
                if let Ok(id) = text.parse::<SmartboxId>() {
                    return Ok(tx.boxes().get(id).await?.filter(|row| row.account == account));
                }
                tx.boxes().named(account, text).await
            })
        })
        .await?;
        found.ok_or(ControlError::Missing { what: "smartbox" })
    }
}
