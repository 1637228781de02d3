//! Tokens in memory.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, TokenId};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use smartbox_core::token::port::Tokens;
use smartbox_core::token::{Purpose, Token};

use super::records::Records;

fn alive(token: &Token, now: Timestamp) -> bool {
    token.expires.is_none_or(|at| at > now)
}

impl Records<'_> {
    fn add_key(&mut self, token: Token) -> Result<(), StoreError> {
        self.change()?;
        if self.state.tokens.values().any(|t| t.id == token.id || t.hash == token.hash) {
            return Err(StoreError::Exists { what: "token" });
        }
        self.need_owners(
            &token.account,
            token.person.as_ref(),
            token.smartbox.as_ref(),
            &token.root,
        )?;
        Arc::make_mut(&mut self.state.tokens).insert(token.hash.clone(), token);
        Ok(())
    }

    fn burn_key(&mut self, hash: &str, now: Timestamp) -> Result<Option<Token>, StoreError> {
        let state = self.change()?;
        let tokens = Arc::make_mut(&mut state.tokens);
        let burnt = match tokens.get(hash) {
            Some(token) if alive(token, now) => tokens.remove(hash),
            _ => None,
        };
        state.uproot();
        Ok(burnt)
    }

    /// Keeps those that `keep`; how many went.
    fn keep_keys(&mut self, keep: impl Fn(&Token) -> bool) -> Result<u64, StoreError> {
        let state = self.change()?;
        let tokens = Arc::make_mut(&mut state.tokens);
        let before = tokens.len();
        tokens.retain(|_, token| keep(token));
        let gone = before - tokens.len();
        state.uproot();
        Ok(gone as u64)
    }
}

impl Tokens for Records<'_> {
    fn add(&mut self, token: Token) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.add_key(token)))
    }

    fn find(
        &mut self,
        hash: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Token>, StoreError>> {
        let found = self.state.tokens.get(&hash).filter(|t| alive(t, now));
        Box::pin(ready(Ok(found.cloned())))
    }

    fn burn(
        &mut self,
        hash: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Token>, StoreError>> {
        Box::pin(ready(self.burn_key(&hash, now)))
    }

    fn list(
        &mut self,
        account: Option<AccountId>,
        purpose: Purpose,
    ) -> BoxFuture<'_, Result<Vec<Token>, StoreError>> {
        let of = |token: &&Token| {
            token.purpose == purpose && account.as_ref().is_none_or(|id| token.account == *id)
        };
        let mut found: Vec<_> = self.state.tokens.values().filter(of).cloned().collect();
        found.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        Box::pin(ready(Ok(found)))
    }

    fn used(&mut self, id: TokenId, at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.change().map(|state| {
            let mut all = Arc::make_mut(&mut state.tokens).values_mut();
            if let Some(token) = all.find(|token| token.id == id) {
                token.used = token.used.max(Some(at));
            }
        })))
    }

    fn revoke(&mut self, id: TokenId) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(ready(self.keep_keys(|token| token.id != id).map(|gone| gone > 0)))
    }

    fn revoke_all(
        &mut self,
        account: AccountId,
        purpose: Purpose,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let kept = |token: &Token| token.account != account || token.purpose != purpose;
        Box::pin(ready(self.keep_keys(kept).map(drop)))
    }

    fn sweep(&mut self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(ready(self.keep_keys(|token| alive(token, now))))
    }
}
