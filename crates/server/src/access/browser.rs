//! Browsers as devices: one is written down as soon as somebody signs in with it. If it can keep a key its
//! session is bound to that, and the key is asked for again and again; a cookie alone is soon nothing.

use std::time::Duration;

use smartbox_core::audit::{self, Act};
use smartbox_core::device::{Asking, Device, DeviceId, Kind, PublicKey, Refusal, State, code};
use smartbox_core::id::random_text;
use smartbox_core::secret::Secret;
use smartbox_core::session::{Root, Session};
use smartbox_core::store::{self, StoreError, Tx};
use smartbox_core::time::Timestamp;

use super::device::{act, asks};
use super::session::{PLATFORM, add};
use super::{Access, Caller, Seat, hash};

/// How long after signing in a browser may show its key for the first time: whoever has no more than the
/// cookie of one without a key may not make a key for it later.
pub const INTRODUCED: Duration = Duration::from_mins(10);

/// A browser that comes in, as it says what it is.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// What it is called.
    pub name: String,
    /// What it runs on.
    pub platform: String,
    /// Where it comes from.
    pub address: String,
    /// What somebody signs in by, as far as their name does not say it.
    pub by: &'static str,
}

/// What a browser shows that has a key.
#[derive(Debug, Clone)]
pub struct Presented {
    /// The key, whose proof was good.
    pub key: PublicKey,
    /// What it says of itself.
    pub browser: Newcomer,
}

/// What comes of a key that a browser shows.
#[derive(Debug)]
pub enum Came {
    /// It is the one that signed in.
    Proved,
    /// It is known by this key from now on, and its cookie is another one.
    Bound(Secret<String>),
    /// It asks to be let in, and shows this code. Its cookie is another one if it has changed.
    Asks {
        /// What it shows.
        code: String,
        /// Its new cookie.
        cookie: Option<Secret<String>>,
    },
    /// Another browser signed in, or it has lost its key.
    OtherKey,
    /// It has been without a key for too long.
    Late,
    /// The key is somebody else's here.
    Elsewhere,
    /// It was shut out, or not let in; the session is over.
    ShutOut(State),
    /// Too many ask already.
    Full,
    /// The session is over.
    Gone,
}

impl Access {
    /// Begins a session on the platform's own origin for whoever this is, and writes their browser down:
    /// the value of its cookie. It is a new one, whatever the browser had before. `lets_in` says whether
    /// signing in is enough, or somebody has to let the browser in.
    pub async fn begin(
        &self,
        who: &Caller,
        new: Newcomer,
        lets_in: bool,
    ) -> Result<Secret<String>, StoreError> {
        let now = self.clock.now();
        let act = Act {
            account: who.account.clone(),
            actor: audit::by(&who.actor, new.address.parse().ok()),
            action: "session.begin".into(),
            smartbox: who.only.clone(),
            detail: new.by.into(),
            at: now,
        };
        let device = Device {
            id: DeviceId::keyless(&*self.entropy),
            key: None,
            kind: Kind::Browser,
            account: Some(who.account.clone()),
            smartbox: who.only.clone(),
            person: who.person.clone(),
            name: new.name,
            platform: new.platform,
            address: new.address,
            state: if lets_in { State::Approved } else { State::Pending },
            granted: lets_in.then_some(who.cap),
            ask: None,
            created: now,
            decided: lets_in.then_some(now),
            decided_by: lets_in.then(|| who.actor.clone()),
            seen: Some(now),
            root: Root { session: None, ..who.root.clone() },
        };
        // What they signed in by hangs on what it hangs on by itself.
        let root = Root { device: Some(device.id.clone()), ..who.root.clone() };
        let whose = (who.account.clone(), who.person.clone());
        let (value, session) = self.new_session(whose, who.cap, root, PLATFORM);
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                tx.devices().put(device).await?;
                add(tx, session).await?;
                // With the session or not at all: nobody is in of whom the audit knows nothing.
                tx.audit().append(act).await
            })
        })
        .await?;
        Ok(value)
    }

    /// A browser with this seat on the platform's own origin has shown that it has this key.
    pub async fn present(&self, seat: &Seat, shown: Presented) -> Result<Came, StoreError> {
        let now = self.clock.now();
        let cookie = self.cookie();
        let show = Show {
            hash: seat.session.hash.clone(),
            fresh: hash(cookie.expose()),
            by: seat.caller(),
            user_code: code::user_code(&*self.entropy),
            device_code: hash(self.value("sbp").expose()),
            nonce: random_text(&*self.entropy, 32),
            shown,
            now,
        };
        let (before, shown_code) = (show.hash.clone(), show.user_code.clone());
        // Other sessions of the device may be in by now, or over, and so is the cookie before.
        let others = |step: &Step| match step {
            Step::Refused(Came::ShutOut(_)) | Step::Bound | Step::Asks { .. } => true,
            Step::Proved | Step::Refused(_) => false,
        };
        let step = self.change_if(move |tx| Box::pin(async move { show.to(tx).await }), others);
        let step = step.await?;
        if matches!(step, Step::Proved) {
            self.proved(&before, now);
        }
        Ok(match step {
            Step::Proved => Came::Proved,
            Step::Bound => Came::Bound(cookie),
            Step::Asks { bound } => {
                Came::Asks { code: shown_code, cookie: bound.then_some(cookie) }
            }
            Step::Refused(came) => came,
        })
    }

    /// Remembers that a browser has proved itself.
    fn proved(&self, hash: &str, now: Timestamp) {
        if let Some(known) = self.known().get(hash) {
            known.session.proved = Some(now);
        }
    }
}

/// A key that is shown, and what may be needed for what comes of it.
struct Show {
    /// Of the cookie that it came with.
    hash: String,
    /// Of the cookie that it may get.
    fresh: String,
    by: Caller,
    user_code: String,
    device_code: String,
    nonce: String,
    shown: Presented,
    now: Timestamp,
}

enum Step {
    Proved,
    Bound,
    Asks { bound: bool },
    Refused(Came),
}

impl Show {
    async fn to(self, tx: &mut dyn Tx) -> Result<Step, StoreError> {
        let Some(session) = tx.sessions().find(self.hash.clone().into(), self.now).await? else {
            return Ok(Step::Refused(Came::Gone));
        };
        let device = match session.root.device.clone() {
            Some(id) => tx.devices().get(id).await?,
            None => None,
        };
        let Some(device) = device else { return Ok(Step::Refused(Came::Gone)) };
        match device.key {
            Some(key) if key != self.shown.key => Ok(Step::Refused(Came::OtherKey)),
            Some(_) => self.again(tx, session, &device).await,
            None if session.created.plus(INTRODUCED) <= self.now => Ok(Step::Refused(Came::Late)),
            None => self.first(tx, session, &device).await,
        }
    }

    /// By a key that the session is bound to.
    async fn again(
        self,
        tx: &mut dyn Tx,
        session: Session,
        device: &Device,
    ) -> Result<Step, StoreError> {
        let (id, now) = (device.id.clone(), self.now);
        match device.state {
            State::Approved => {
                tx.sessions().put(Session { proved: Some(now), ..session }).await?;
                tx.devices().seen(id, now).await?;
                Ok(Step::Proved)
            }
            // Nobody decided in time, or the page that had the code is gone.
            State::Pending => Ok(match asks(tx, self.asking(&session), now).await? {
                Ok(_) => Step::Asks { bound: false },
                Err(refusal) => Step::Refused(refused(refusal)),
            }),
            state @ (State::Rejected | State::Revoked) => Ok(Step::Refused(Came::ShutOut(state))),
        }
    }

    /// By a key that the session is to be bound to.
    async fn first(
        self,
        tx: &mut dyn Tx,
        session: Session,
        bare: &Device,
    ) -> Result<Step, StoreError> {
        let lets_in = bare.is_let_in();
        let id = DeviceId::of(&self.shown.key);
        let known = tx.devices().get(id.clone()).await?;
        let step = match &known {
            Some(device) if !its(device, &session, &self.by) => {
                return Ok(Step::Refused(Came::Elsewhere));
            }
            Some(device) if matches!(device.state, State::Rejected | State::Revoked) => {
                tx.sessions().end(session.hash).await?;
                return Ok(Step::Refused(Came::ShutOut(device.state)));
            }
            Some(device) if device.is_let_in() && !lets_in => Step::Bound,
            _ if lets_in => {
                self.let_in(tx, known.as_ref(), (bare, &session)).await?;
                Step::Bound
            }
            _ => match asks(tx, self.asking(&session), self.now).await? {
                Ok(_) => Step::Asks { bound: true },
                Err(refusal) => return Ok(Step::Refused(refused(refusal))),
            },
        };
        tx.devices().seen(id.clone(), self.now).await?;
        let root = Root { device: Some(id), ..session.root.clone() };
        // Whoever has seen the cookie before has seen nothing that is good for anything.
        let bound = Session { hash: self.fresh, root, proved: Some(self.now), ..session };
        tx.sessions().put(bound).await?;
        // The row that stood in for the key.
        tx.devices().sweep(self.now).await?;
        Ok(step)
    }

    /// Signing in has let it in: it is written down, and may as much as what it signed in by.
    async fn let_in(
        &self,
        tx: &mut dyn Tx,
        known: Option<&Device>,
        (bare, session): (&Device, &Session),
    ) -> Result<(), StoreError> {
        let new = &self.shown.browser;
        let mut device = known.cloned().unwrap_or_else(|| Device {
            id: DeviceId::of(&self.shown.key),
            key: Some(self.shown.key),
            ..bare.clone()
        });
        device.address.clone_from(&new.address);
        if known.is_none_or(|known| !known.is_let_in()) {
            (device.state, device.ask) = (State::Approved, None);
            (device.decided, device.decided_by) = (bare.decided, bare.decided_by.clone());
            device.root.clone_from(&bare.root);
            tx.audit().append(act(&self.by, "device.register", &device, self.now)).await?;
        }
        device.granted = device.granted.max(Some(session.right));
        tx.devices().put(device).await
    }

    fn asking(&self, session: &Session) -> Asking {
        let new = &self.shown.browser;
        Asking {
            id: DeviceId::of(&self.shown.key),
            key: Some(self.shown.key),
            kind: Kind::Browser,
            account: Some(session.account.clone()),
            smartbox: self.by.only.clone(),
            person: session.person.clone(),
            name: new.name.clone(),
            platform: new.platform.clone(),
            address: new.address.clone(),
            requested: session.right,
            user_code: code::hash(&self.user_code),
            device_code: self.device_code.clone(),
            nonce: self.nonce.clone(),
        }
    }
}

/// Whether a device is this session's: the same hands, for the same thing.
fn its(device: &Device, session: &Session, by: &Caller) -> bool {
    device.kind == Kind::Browser
        && device.account.as_ref() == Some(&session.account)
        && device.person == session.person
        && device.smartbox == by.only
}

fn refused(refusal: Refusal) -> Came {
    match refusal {
        Refusal::Elsewhere => Came::Elsewhere,
        Refusal::Full => Came::Full,
    }
}
