//! Tokens that there are: shown, given a new value, revoked.

use std::time::Duration;

use smartbox_core::id::{AccountId, TokenId};
use smartbox_core::session::Root;
use smartbox_core::store::{self, StoreError};
use smartbox_core::token::{BEFORE, Purpose, Token};

use super::token::{MadeToken, act};
use super::{Access, Caller, hash};

impl Access {
    /// The tokens of this purpose of an account, or everybody's, that have not expired; the newest first.
    pub async fn tokens(
        &self,
        account: Option<AccountId>,
        purpose: Purpose,
    ) -> Result<Vec<Token>, StoreError> {
        let now = self.clock.now();
        store::read(&*self.store, move |tx| {
            Box::pin(async move {
                let mut found = tx.tokens().list(account, purpose).await?;
                found.retain(|token| token.expires.is_none_or(|at| at > now));
                Ok(found)
            })
        })
        .await
    }

    /// Revokes a token, and ends what was begun by it; whether there was one.
    pub async fn revoke_token(&self, by: &Caller, token: &Token) -> Result<bool, StoreError> {
        let act = told(by, token, "revoke", self.clock.now());
        let id = token.id.clone();
        let gone = self
            .change(move |tx| {
                Box::pin(async move {
                    let gone = tx.tokens().revoke(id).await?;
                    if gone {
                        tx.audit().append(act).await?;
                    }
                    Ok(gone)
                })
            })
            .await?;
        Ok(gone)
    }

    /// Gives a token a new value, and ends what was begun by the old one. That works on for so long, as a
    /// token of its own which hangs on this one. `None` if the token is gone.
    pub async fn rotate_token(
        &self,
        by: &Caller,
        token: &Token,
        grace: Duration,
    ) -> Result<Option<MadeToken>, StoreError> {
        let now = self.clock.now();
        let act = told(by, token, "rotate", now);
        let prefix = if token.purpose == Purpose::Operator { "sbo" } else { "sba" };
        let value = self.value(prefix);
        let (fresh, before) = (hash(value.expose()), TokenId::generate(&*self.entropy));
        let (id, account, purpose) = (token.id.clone(), token.account.clone(), token.purpose);
        let rotated = self
            .change(move |tx| {
                Box::pin(async move {
                    // As it is now: two who rotate it at once do so one after another.
                    let all = tx.tokens().list(Some(account), purpose).await?;
                    let Some(old) = all.into_iter().find(|token| token.id == id) else {
                        return Ok(None);
                    };
                    tx.tokens().revoke(id.clone()).await?;
                    // It lasts as long again as it was to last.
                    let lasts = old.expires.map(|at| at.since(old.created));
                    let expires = lasts.map(|lasts| now.plus(lasts));
                    let new =
                        Token { hash: fresh, created: now, expires, used: None, ..old.clone() };
                    let made = (new.id.clone(), new.right, new.expires);
                    tx.tokens().add(new).await?;
                    if !grace.is_zero() {
                        let until = now.plus(grace);
                        let old = Token {
                            name: format!("{BEFORE}{id}"),
                            id: before,
                            root: Root { session: None, token: Some(id), device: None },
                            expires: Some(old.expires.map_or(until, |at| at.min(until))),
                            ..old
                        };
                        tx.tokens().add(old).await?;
                    }
                    tx.audit().append(act).await?;
                    Ok(Some(made))
                })
            })
            .await?;
        Ok(rotated.map(|(id, right, expires)| MadeToken { id, value, right, expires }))
    }
}

fn told(
    by: &Caller,
    token: &Token,
    verb: &str,
    at: smartbox_core::time::Timestamp,
) -> smartbox_core::audit::Act {
    let noun = match token.purpose {
        Purpose::Operator => "operator-key",
        Purpose::Invite => "invitation",
        _ => "token",
    };
    // In the audit of the account whose it is, whoever did it.
    let by = Caller { account: token.account.clone(), ..by.clone() };
    act(&by, &format!("{noun}.{verb}"), token.smartbox.clone(), token.id.to_string(), at)
}
