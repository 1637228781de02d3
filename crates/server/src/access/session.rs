//! Sessions of browsers, on the platform's origin and on the boxes'.

use std::sync::atomic::Ordering;
use std::time::Duration;

use smartbox_core::id::{AccountId, SessionId, SmartboxId};
use smartbox_core::secret::Secret;
use smartbox_core::session::Session;
use smartbox_core::store::{self, StoreError};

use super::{Access, REMEMBERED, admitted, hash};

/// How long a session on the platform's origin lasts.
const PLATFORM: Duration = Duration::from_hours(30 * 24);
/// How long one on a box's origin lasts; renewed by a ticket while the platform's lasts.
const SMARTBOX: Duration = Duration::from_hours(7 * 24);

impl Access {
    /// Begins a session: the value of its cookie.
    pub async fn begin(
        &self,
        account: &AccountId,
        smartbox: Option<SmartboxId>,
    ) -> Result<Secret<String>, StoreError> {
        let now = self.clock.now();
        let value = self.value("sbs");
        let lasts = if smartbox.is_some() { SMARTBOX } else { PLATFORM };
        let session = Session {
            id: SessionId::generate(&*self.entropy),
            hash: hash(value.expose()),
            account: account.clone(),
            smartbox,
            created: now,
            expires: now.plus(lasts),
        };
        store::write(&*self.store, move |tx| {
            Box::pin(async move { tx.sessions().add_session(session).await })
        })
        .await?;
        Ok(value)
    }

    /// The session whose cookie has this value, if it is for exactly this origin.
    pub async fn session(
        &self,
        value: &str,
        smartbox: Option<&SmartboxId>,
    ) -> Result<Option<Session>, StoreError> {
        let (hash, now) = (hash(value), self.clock.now());
        let fits = |session: &Session| session.smartbox.as_ref() == smartbox;
        if let Some(session) = self.known().get(&hash) {
            return Ok(Some(session.clone()).filter(|s| s.expires > now && fits(s)));
        }
        let (wanted, forgotten) = (hash.clone(), self.forgotten.load(Ordering::SeqCst));
        let found = store::read(&*self.store, move |tx| {
            Box::pin(async move {
                let Some(session) = tx.sessions().session(wanted, now).await? else {
                    return Ok(None);
                };
                Ok(admitted(tx, &session.account).await?.then_some(session))
            })
        })
        .await?;
        if let Some(session) = &found {
            let mut known = self.known();
            // An account was shut out since the records were read: they are asked again next time.
            if self.forgotten.load(Ordering::SeqCst) != forgotten {
                return Ok(None);
            }
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(hash, session.clone());
        }
        Ok(found.filter(fits))
    }

    /// Ends a session; ending one that is over succeeds.
    pub async fn end(&self, value: &str) -> Result<(), StoreError> {
        let hash = hash(value);
        let gone = hash.clone();
        store::write(&*self.store, move |tx| {
            Box::pin(async move { tx.sessions().end_session(gone).await })
        })
        .await?;
        self.known().remove(&hash);
        Ok(())
    }

    /// Ends what is remembered of an account's sessions: from now on the records are asked, and
    /// they know that it is disabled, or gone.
    pub fn forget(&self, account: &AccountId) {
        let mut known = self.known();
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        known.retain(|_, session| session.account != *account);
    }

    /// Deletes what has expired.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.known().retain(|_, session| session.expires > now);
        store::write(&*self.store, move |tx| {
            Box::pin(async move { tx.sessions().sweep(now).await.map(drop) })
        })
        .await
    }
}
