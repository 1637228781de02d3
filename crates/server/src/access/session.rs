//! Sessions of browsers, on the platform's origin and on the boxes'.

use std::sync::atomic::Ordering;
use std::time::Duration;

use smartbox_core::audit::Act;
use smartbox_core::id::{AccountId, PersonId, SessionId, SmartboxId};
use smartbox_core::person::Right;
use smartbox_core::secret::Secret;
use smartbox_core::session::{By, Root, Session};
use smartbox_core::store::{self, StoreError, Tx};
use smartbox_core::time::Timestamp;
use smartbox_core::token::Token;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{Access, Caller, Seat, hash};

/// How long a session on the platform's origin lasts.
pub(super) const PLATFORM: Duration = Duration::from_hours(30 * 24);
/// How long one on a box's origin lasts; renewed by a ticket while the platform's lasts.
const SMARTBOX: Duration = Duration::from_hours(7 * 24);
/// One that nobody used for so long is over.
const IDLE: Duration = Duration::from_hours(7 * 24);
/// How exactly it is known when one was used.
const SEEN: Duration = Duration::from_mins(1);

impl Access {
    /// Begins one on a box's origin, for whoever a ticket there was made for.
    pub(super) async fn begin_in(
        &self,
        ticket: Token,
        smartbox: SmartboxId,
    ) -> Result<Secret<String>, StoreError> {
        let Token { account, person, right, root, .. } = ticket;
        let (value, session) = self.new_session((account, person), right, root, SMARTBOX);
        let session = Session { smartbox: Some(smartbox.clone()), ..session };
        let now = self.clock.now();
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                add(tx, session.clone()).await?;
                let (seat, row) = (Seat::of(tx, session).await?, tx.boxes().get(smartbox).await?);
                // A ticket that opens nothing, since its maker may not, is nobody who went in.
                let (Some(seat), Some(row)) = (seat, row) else { return Ok(()) };
                // The owner of the box learns who went in, whoever's account that is.
                let act = Act {
                    account: row.account,
                    actor: seat.session.began_by(),
                    action: "box.enter".into(),
                    smartbox: Some(row.id),
                    detail: String::new(),
                    at: now,
                };
                tx.audit().append(act).await
            })
        })
        .await?;
        Ok(value)
    }

    /// A session that nobody has the cookie of: what somebody opens hangs on it who came by another's word
    /// alone, and ends with that word.
    pub(super) async fn anchor(&self, who: &Caller, until: Timestamp) -> Result<Root, StoreError> {
        let whose = (who.account.clone(), who.person.clone());
        let (_, mut session) = self.new_session(whose, who.cap, Root::default(), PLATFORM);
        session.expires = session.expires.min(until);
        let root = Root { session: Some(session.id.clone()), token: None, device: None };
        store::write(&*self.store, move |tx| {
            Box::pin(async move { tx.sessions().add(session).await })
        })
        .await?;
        Ok(root)
    }

    /// Ends every session of a person, on every origin.
    pub async fn end_all(&self, person: &PersonId) -> Result<(), StoreError> {
        let person = person.clone();
        self.change(move |tx| {
            Box::pin(async move { tx.sessions().end_all(person).await.map(drop) })
        })
        .await
    }

    /// A session that nobody has yet, and the value of its cookie.
    pub(super) fn new_session(
        &self,
        (account, person): (AccountId, Option<PersonId>),
        right: Right,
        root: Root,
        lasts: Duration,
    ) -> (Secret<String>, Session) {
        let (now, value) = (self.clock.now(), self.cookie());
        // Whoever signed in under a flood from their own address is not sent away by it right afterwards.
        self.proves(value.expose());
        let session = Session {
            id: SessionId::generate(&*self.entropy),
            hash: hash(value.expose()),
            account,
            person,
            smartbox: None,
            right,
            root,
            created: now,
            seen: now,
            expires: now.plus(lasts),
            proved: None,
        };
        (value, session)
    }

    /// The value of a new cookie.
    pub(super) fn cookie(&self) -> Secret<String> {
        self.value("sbs")
    }

    /// What the session lets one do whose cookie has this value, if it is for exactly this origin.
    pub async fn seat(
        &self,
        value: &str,
        smartbox: Option<&SmartboxId>,
    ) -> Result<Option<Seat>, StoreError> {
        let (hash, now) = (hash(value), self.clock.now());
        let known = self.known().get(&hash).cloned();
        let seat = match known {
            Some(seat) => Some(seat),
            None => self.read_seat(&hash, now).await?,
        };
        let Some(mut seat) = seat else { return Ok(None) };
        let session = &seat.session;
        let over = session.expires <= now || session.seen.plus(IDLE) <= now;
        if over || session.smartbox.as_ref() != smartbox {
            return Ok(None);
        }
        if session.seen.plus(SEEN) <= now {
            seat.session.seen = now;
            self.note_seen(&hash, &seat, now).await?;
        }
        Ok(Some(seat))
    }

    async fn read_seat(&self, hash: &str, now: Timestamp) -> Result<Option<Seat>, StoreError> {
        let (wanted, forgotten) = (hash.to_owned(), self.forgotten.load(Ordering::SeqCst));
        let found = store::read(&*self.store, move |tx| {
            Box::pin(async move {
                match tx.sessions().find(wanted.into(), now).await? {
                    Some(session) => Seat::of(tx, session).await,
                    None => Ok(None),
                }
            })
        })
        .await?;
        if let Some(seat) = &found {
            let mut known = self.known();
            // Somebody was shut out since the records were read: this may be them, and is not remembered.
            if self.forgotten.load(Ordering::SeqCst) != forgotten {
                return Ok(found);
            }
            known.insert(hash.to_owned(), seat.clone());
        }
        Ok(found)
    }

    async fn note_seen(&self, hash: &str, seat: &Seat, now: Timestamp) -> Result<(), StoreError> {
        if let Some(known) = self.known().get(hash) {
            known.session.seen = now;
        }
        let id = seat.session.id.clone();
        store::write(&*self.store, move |tx| {
            Box::pin(async move { tx.sessions().seen(id, now).await })
        })
        .await
    }

    /// Ends a session, on behalf of this one for the audit; ending one that is over succeeds.
    pub async fn end(&self, value: &str, by: &str) -> Result<(), StoreError> {
        let (hash, actor, now) = (hash(value), by.to_owned(), self.clock.now());
        self.change(move |tx| {
            Box::pin(async move {
                let found = tx.sessions().find(hash.clone().into(), now).await?;
                tx.sessions().end(hash).await?;
                let Some(session) = found else { return Ok(()) };
                let act = Act {
                    account: session.account,
                    actor,
                    action: "session.end".into(),
                    smartbox: session.smartbox,
                    detail: session.id.to_string(),
                    at: now,
                };
                tx.audit().append(act).await
            })
        })
        .await
    }

    /// Forgets what is remembered of sessions: from now on the records are asked, and they know that
    /// somebody was shut out, or may less. Open sockets ask again at once.
    pub fn forget(&self) {
        let mut known = self.known();
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        known.clear();
        drop(known);
        self.ended.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Changes when sessions may have ended.
    pub fn ended(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }

    /// Deletes what has expired, and ends devices that stayed away. `at` is a time that nobody sets.
    pub async fn sweep(&self, at: Instant) -> Result<(), StoreError> {
        let now = self.clock.now();
        let idle = Timestamp(now.0.saturating_sub_unsigned(IDLE.as_millis() as u64));
        let away = self
            .change(move |tx| {
                Box::pin(async move {
                    tx.sessions().sweep(now, idle).await?;
                    let swept = tx.devices().sweep(now).await?;
                    tx.tokens().sweep(now).await?;
                    Ok(swept.away)
                })
            })
            .await?;
        self.end_away(away, (now, at)).await
    }
}

/// Adds a session.
pub(super) async fn add(tx: &mut dyn Tx, session: Session) -> Result<(), StoreError> {
    let expires = within(tx, &session, session.created).await?;
    tx.sessions().add(Session { expires, ..session }).await
}

/// When a session ends: never after the one that it hangs on.
async fn within(
    tx: &mut dyn Tx,
    session: &Session,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let Some(root) = &session.root.session else { return Ok(session.expires) };
    let above = tx.sessions().find(By::Id(root.clone()), now).await?;
    let above = above.filter(|above| above.account == session.account);
    Ok(above.map_or(now, |above| above.expires.min(session.expires)))
}
