//! Tickets: they take a browser from the platform's origin to a box's, once and within a minute.

use std::time::Duration;

use smartbox_core::id::{AccountId, SmartboxId, TokenId};
use smartbox_core::secret::Secret;
use smartbox_core::session::{Purpose, Token};
use smartbox_core::store::{self, StoreError};

use super::{Access, hash};

const LASTS: Duration = Duration::from_mins(1);

impl Access {
    /// Makes a ticket to a box.
    pub async fn ticket(
        &self,
        account: &AccountId,
        smartbox: &SmartboxId,
    ) -> Result<Secret<String>, StoreError> {
        let now = self.clock.now();
        let value = self.value("sbt");
        let token = Token {
            id: TokenId::generate(&*self.entropy),
            hash: hash(value.expose()),
            account: account.clone(),
            smartbox: Some(smartbox.clone()),
            purpose: Purpose::Ticket,
            created: now,
            expires: Some(now.plus(LASTS)),
        };
        store::write(&*self.store, move |tx| {
            Box::pin(async move { tx.sessions().add_token(token).await })
        })
        .await?;
        Ok(value)
    }

    /// Burns a ticket to this box; whom it lets in. One that leads elsewhere, or that is no ticket,
    /// stays as it is.
    pub(super) async fn burn(
        &self,
        value: &str,
        smartbox: &SmartboxId,
    ) -> Result<Option<AccountId>, StoreError> {
        let (hash, now, smartbox) = (hash(value), self.clock.now(), smartbox.clone());
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                let leads_here = |token: &Token| {
                    token.purpose == Purpose::Ticket && token.smartbox.as_ref() == Some(&smartbox)
                };
                match tx.sessions().token(hash.clone(), now).await? {
                    Some(token) if leads_here(&token) => {
                        Ok(tx.sessions().burn(hash, now).await?.map(|token| token.account))
                    }
                    _ => Ok(None),
                }
            })
        })
        .await
    }
}
