//! Bearers: what a request over TCP may carry instead of a session.

use std::time::Duration;

use smartbox_core::audit::Act;
use smartbox_core::id::{AccountId, TokenId};
use smartbox_core::secret::Secret;
use smartbox_core::session::{Purpose, Token};
use smartbox_core::store::{self, StoreError};
use smartbox_core::time::Timestamp;

use super::{Access, admitted, hash};

/// Who a bearer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// The master token: acts for the installation's first account.
    Master,
    /// A token of an account.
    Token {
        /// Which token.
        id: TokenId,
        /// Whose.
        account: AccountId,
    },
}

/// A token that was made; its value is shown once.
#[derive(Debug)]
pub struct MadeToken {
    /// Its identifier.
    pub id: TokenId,
    /// Its value.
    pub value: Secret<String>,
    /// When it stops working.
    pub expires: Option<Timestamp>,
}

impl Access {
    /// Who this value is the token of: a link's, the API's or the master's, never a ticket's.
    pub async fn bearer(&self, value: &str) -> Result<Option<Bearer>, StoreError> {
        if self.is_master(value) {
            return Ok(Some(Bearer::Master));
        }
        let (hash, now) = (hash(value), self.clock.now());
        let token = store::read(&*self.store, move |tx| {
            Box::pin(async move {
                let Some(token) = tx.sessions().token(hash, now).await? else { return Ok(None) };
                Ok(admitted(tx, &token.account).await?.then_some(token))
            })
        })
        .await?;
        Ok(token
            .filter(|token| matches!(token.purpose, Purpose::Link | Purpose::Api))
            .map(|token| Bearer::Token { id: token.id, account: token.account }))
    }

    /// Whether this value is the master token.
    pub fn is_master(&self, value: &str) -> bool {
        self.master.as_ref().is_some_and(|master| master.is(value))
    }

    /// Makes a token for the API.
    pub async fn new_token(
        &self,
        account: &AccountId,
        actor: &str,
        lasts: Option<Duration>,
    ) -> Result<MadeToken, StoreError> {
        let now = self.clock.now();
        let value = self.value("sba");
        let token = Token {
            id: TokenId::generate(&*self.entropy),
            hash: hash(value.expose()),
            account: account.clone(),
            smartbox: None,
            purpose: Purpose::Api,
            created: now,
            expires: lasts.map(|lasts| now.plus(lasts)),
        };
        let made = MadeToken { id: token.id.clone(), value, expires: token.expires };
        let act = Act {
            account: account.clone(),
            actor: actor.to_owned(),
            action: "token.create".into(),
            smartbox: None,
            detail: token.id.to_string(),
            at: now,
        };
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                tx.sessions().add_token(token).await?;
                tx.audit().append(act).await
            })
        })
        .await?;
        Ok(made)
    }

    /// Revokes every token of the API of an account.
    pub async fn revoke_tokens(&self, account: &AccountId, actor: &str) -> Result<(), StoreError> {
        let act = Act {
            account: account.clone(),
            actor: actor.to_owned(),
            action: "token.revoke".into(),
            smartbox: None,
            detail: "all".into(),
            at: self.clock.now(),
        };
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                tx.sessions().revoke(act.account.clone(), Purpose::Api).await?;
                tx.audit().append(act).await
            })
        })
        .await
    }
}
