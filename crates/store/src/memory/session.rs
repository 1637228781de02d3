//! Sessions in memory.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, PersonId, SessionId, SmartboxId};
use smartbox_core::session::port::Sessions;
use smartbox_core::session::{By, Root, Session};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::records::Records;

const OWNER: &str = "account, person, smartbox or root";

impl Records<'_> {
    /// What a session or a token belongs to must be there.
    pub(super) fn need_owners(
        &self,
        account: &AccountId,
        person: Option<&PersonId>,
        smartbox: Option<&SmartboxId>,
        root: &Root,
    ) -> Result<(), StoreError> {
        self.need_account(account, OWNER)?;
        let (sessions, tokens) = (&self.state.sessions, &self.state.tokens);
        let session = root.session.as_ref().is_none_or(|id| sessions.values().any(|s| s.id == *id));
        let token = root.token.as_ref().is_none_or(|id| tokens.values().any(|t| t.id == *id));
        let devices = &self.state.devices;
        let device = root.device.as_ref().is_none_or(|id| devices.contains_key(id));
        if !session || !token || !device {
            return Err(StoreError::Missing { what: OWNER });
        }
        if person.is_some_and(|id| !self.state.people.contains_key(id)) {
            return Err(StoreError::Missing { what: OWNER });
        }
        smartbox.map_or(Ok(()), |id| self.need_box(id, OWNER))
    }

    fn add_browser(&mut self, session: Session) -> Result<(), StoreError> {
        self.change()?;
        let sessions = &self.state.sessions;
        if sessions.values().any(|s| s.id == session.id || s.hash == session.hash) {
            return Err(StoreError::Exists { what: "session" });
        }
        self.need_owners(
            &session.account,
            session.person.as_ref(),
            session.smartbox.as_ref(),
            &session.root,
        )?;
        Arc::make_mut(&mut self.state.sessions).insert(session.hash.clone(), session);
        Ok(())
    }

    fn put_browser(&mut self, session: Session) -> Result<(), StoreError> {
        self.change()?;
        let sessions = &self.state.sessions;
        if sessions.values().any(|s| s.id != session.id && s.hash == session.hash) {
            return Err(StoreError::Exists { what: "session" });
        }
        let before = sessions.values().find(|s| s.id == session.id).map(|s| s.hash.clone());
        let before = before.ok_or(StoreError::Missing { what: "session" })?;
        self.need_owners(
            &session.account,
            session.person.as_ref(),
            session.smartbox.as_ref(),
            &session.root,
        )?;
        let sessions = Arc::make_mut(&mut self.state.sessions);
        sessions.remove(&before);
        sessions.insert(session.hash.clone(), session);
        Ok(())
    }

    /// Keeps those that `keep`; how many went.
    fn keep_browsers(&mut self, keep: impl Fn(&Session) -> bool) -> Result<u64, StoreError> {
        let state = self.change()?;
        let sessions = Arc::make_mut(&mut state.sessions);
        let before = sessions.len();
        sessions.retain(|_, session| keep(session));
        let gone = before - sessions.len();
        state.uproot();
        Ok(gone as u64)
    }
}

impl Sessions for Records<'_> {
    fn add(&mut self, session: Session) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.add_browser(session)))
    }

    fn put(&mut self, session: Session) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.put_browser(session)))
    }

    fn find(
        &mut self,
        by: By,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Session>, StoreError>> {
        let sessions = &self.state.sessions;
        let found = match by {
            By::Cookie(hash) => sessions.get(&hash),
            By::Id(id) => sessions.values().find(|s| s.id == id),
        };
        Box::pin(ready(Ok(found.filter(|s| s.expires > now).cloned())))
    }

    fn seen(&mut self, id: SessionId, at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.change().map(|state| {
            let mut all = Arc::make_mut(&mut state.sessions).values_mut();
            if let Some(session) = all.find(|session| session.id == id) {
                session.seen = session.seen.max(at);
            }
        })))
    }

    fn end(&mut self, hash: String) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.keep_browsers(|session| session.hash != hash).map(drop)))
    }

    fn list(
        &mut self,
        account: AccountId,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<Session>, StoreError>> {
        let of = |session: &&Session| session.account == account && session.expires > now;
        let mut found: Vec<_> = self.state.sessions.values().filter(of).cloned().collect();
        found.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        Box::pin(ready(Ok(found)))
    }

    fn end_all(&mut self, person: PersonId) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(ready(self.keep_browsers(|session| session.person.as_ref() != Some(&person))))
    }

    fn sweep(&mut self, now: Timestamp, idle: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(ready(self.keep_browsers(|s| s.expires > now && s.seen >= idle)))
    }
}
