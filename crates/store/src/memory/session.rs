//! Sessions and tokens in memory.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::session::port::Sessions;
use smartbox_core::session::{Purpose, Session, Token};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::records::Records;

const OWNER: &str = "account or smartbox";

fn alive(token: &Token, now: Timestamp) -> bool {
    token.expires.is_none_or(|at| at > now)
}

impl Records<'_> {
    fn need_owner(
        &self,
        account: &AccountId,
        smartbox: Option<&SmartboxId>,
    ) -> Result<(), StoreError> {
        self.need_account(account, OWNER)?;
        smartbox.map_or(Ok(()), |id| self.need_box(id, OWNER))
    }

    fn add_browser(&mut self, session: Session) -> Result<(), StoreError> {
        self.change()?;
        let sessions = &self.state.sessions;
        if sessions.values().any(|s| s.id == session.id || s.hash == session.hash) {
            return Err(StoreError::Exists { what: "session" });
        }
        self.need_owner(&session.account, session.smartbox.as_ref())?;
        Arc::make_mut(&mut self.state.sessions).insert(session.hash.clone(), session);
        Ok(())
    }

    fn add_key(&mut self, token: Token) -> Result<(), StoreError> {
        self.change()?;
        if self.state.tokens.values().any(|t| t.id == token.id || t.hash == token.hash) {
            return Err(StoreError::Exists { what: "token" });
        }
        self.need_owner(&token.account, token.smartbox.as_ref())?;
        Arc::make_mut(&mut self.state.tokens).insert(token.hash.clone(), token);
        Ok(())
    }

    fn burn_key(&mut self, hash: &str, now: Timestamp) -> Result<Option<Token>, StoreError> {
        let tokens = Arc::make_mut(&mut self.change()?.tokens);
        Ok(match tokens.get(hash) {
            Some(token) if alive(token, now) => tokens.remove(hash),
            _ => None,
        })
    }

    fn sweep_expired(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let state = self.change()?;
        let before = state.sessions.len() + state.tokens.len();
        Arc::make_mut(&mut state.sessions).retain(|_, s| s.expires > now);
        Arc::make_mut(&mut state.tokens).retain(|_, t| alive(t, now));
        Ok((before - state.sessions.len() - state.tokens.len()) as u64)
    }
}

impl Sessions for Records<'_> {
    fn add_session(&mut self, session: Session) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.add_browser(session)))
    }

    fn session(
        &mut self,
        hash: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Session>, StoreError>> {
        let found = self.state.sessions.get(&hash).filter(|s| s.expires > now);
        Box::pin(ready(Ok(found.cloned())))
    }

    fn end_session(&mut self, hash: String) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.change().map(|state| {
            Arc::make_mut(&mut state.sessions).remove(&hash);
        })))
    }

    fn add_token(&mut self, token: Token) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.add_key(token)))
    }

    fn token(
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

    fn revoke(
        &mut self,
        account: AccountId,
        purpose: Purpose,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.change().map(|state| {
            Arc::make_mut(&mut state.tokens)
                .retain(|_, t| t.account != account || t.purpose != purpose);
        })))
    }

    fn sweep(&mut self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(ready(self.sweep_expired(now)))
    }
}
