//! The token in the link that `up` prints: a fresh one each time, older ones revoked.

use smartbox_core::id::{AccountId, TokenId};
use smartbox_core::person::Right;
use smartbox_core::secret::Secret;
use smartbox_core::session::Root;
use smartbox_core::store::{self, StoreError};
use smartbox_core::token::{Purpose, Token};

use super::{Access, hash};

impl Access {
    /// Makes the token of this start and ends those of earlier ones.
    pub async fn link(&self, account: &AccountId) -> Result<Secret<String>, StoreError> {
        let value = self.value("sbl");
        let token = Token {
            id: TokenId::generate(&*self.entropy),
            hash: hash(value.expose()),
            name: String::new(),
            account: account.clone(),
            person: None,
            smartbox: None,
            purpose: Purpose::Link,
            right: Right::Own,
            root: Root::default(),
            created: self.clock.now(),
            expires: None,
            used: None,
        };
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                tx.tokens().revoke_all(token.account.clone(), Purpose::Link).await?;
                tx.tokens().add(token).await
            })
        })
        .await?;
        Ok(value)
    }
}
