//! Somebody else's word, which signs somebody in with each request and begins no session: it stands in the
//! audit when it is first brought, and not with every request.

use std::net::IpAddr;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use smartbox_core::audit::{self, Act};
use smartbox_core::person::Identity;
use smartbox_core::store::{self, StoreError};
use smartbox_core::time::Timestamp;

use super::{Access, Caller, hash};
use crate::recent::Recent;

/// A program is given another word with each request; what it does within such a time is one sign-in.
const PROGRAM: Duration = Duration::from_hours(1);

impl Access {
    /// Notes that somebody comes by this word. What is remembered of it is bounded, and gone with the process:
    /// then it may stand there once more, never less. Whom the audit cannot note does not come in.
    pub async fn come_by(
        &self,
        caller: &Caller,
        who: &Identity,
        from: Option<IpAddr>,
    ) -> Result<(), StoreError> {
        let (key, now) = (key(caller, who), self.clock.now());
        if self.is_told(&key, now) {
            return Ok(());
        }
        // One after another: a page asks for many things at once.
        let _first = self.telling.lock().await;
        if self.is_told(&key, now) {
            return Ok(());
        }
        let act = Act {
            account: caller.account.clone(),
            actor: audit::by(&caller.actor, from),
            action: "session.begin".into(),
            smartbox: None,
            detail: "access".into(),
            at: now,
        };
        store::write(&*self.store, |tx| Box::pin(async move { tx.audit().append(act).await }))
            .await?;
        let until = match who.service {
            true => who.expires.max(now.plus(PROGRAM)),
            false => Timestamp(i64::MAX),
        };
        self.words().insert(key, until);
        Ok(())
    }

    fn is_told(&self, key: &str, now: Timestamp) -> bool {
        self.words().get(key).is_some_and(|until| *until > now)
    }

    fn words(&self) -> MutexGuard<'_, Recent<String, Timestamp>> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which word it is: one for a person ends when it ends. Sent in another form it is the same one.
fn key(caller: &Caller, who: &Identity) -> String {
    let ends = if who.service { 0 } else { who.expires.0 };
    hash(&format!("{}\n{}\n{}\n{ends}", caller.account, who.issuer, who.subject))
}
