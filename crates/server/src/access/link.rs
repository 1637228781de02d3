//! The token in the link that `up` prints: a fresh one each time, older ones revoked.

use smartbox_core::id::{AccountId, TokenId};
use smartbox_core::secret::Secret;
use smartbox_core::session::{Purpose, Token};
use smartbox_core::store::{self, StoreError};

use super::{Access, hash};

impl Access {
    /// Makes the token of this start and ends those of earlier ones.
    pub async fn link(&self, account: &AccountId) -> Result<Secret<String>, StoreError> {
        let value = self.value("sbl");
        let token = Token {
            id: TokenId::generate(&*self.entropy),
            hash: hash(value.expose()),
            account: account.clone(),
            smartbox: None,
            purpose: Purpose::Link,
            created: self.clock.now(),
            expires: None,
        };
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                tx.sessions().revoke(token.account.clone(), Purpose::Link).await?;
                tx.sessions().add_token(token).await
            })
        })
        .await?;
        Ok(value)
    }
}
