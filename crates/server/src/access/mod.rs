//! Who may come in: tokens, tickets and sessions. Values are shown once; only hashes are kept.

mod admit;
mod arrive;
mod away;
mod browser;
mod change;
mod device;
mod invite;
mod link;
mod master;
mod people;
mod proof;
mod seat;
mod session;
mod ticket;
mod token;
mod tokens;
mod word;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use sha2::{Digest, Sha256};
use smartbox_core::id::{AccountId, Entropy, random_text};
use smartbox_core::secret::Secret;
use smartbox_core::store::{Store, StoreError, Tx};
use smartbox_core::time::{Clock, Timestamp};
use smartbox_core::token::RANDOM;
use tokio::sync::watch;

use crate::recent::Recent;

pub use arrive::Arrival;
pub use browser::{Came, INTRODUCED, Newcomer, Presented};
pub use device::{Decided, Decision, Granted, Polled};
pub use invite::Accepted;
pub use master::Master;
pub use people::{Changed, Gift, PersonChange, Unfit, Whom};
pub use proof::{Proofs, Unproven, Wanted};
pub use seat::{Caller, Seat, Stage};
pub use token::{Bearer, MadeToken, NewToken};

/// Sessions, tokens, and words of others, that are remembered in memory at the most.
const REMEMBERED: usize = 10_000;

/// Keeps tokens, tickets and sessions.
pub struct Access {
    /// For what goes on though nobody waits for it.
    me: Weak<Self>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    master: Option<Master>,
    /// Seats by the hash of the cookie. This process is the only one that ends sessions, so what is remembered holds.
    known: Mutex<Recent<String, Seat>>,
    /// Hashes of tokens that were right lately. None of them admits: it is for limits alone.
    proven: Mutex<Recent<String, ()>>,
    /// Words of others that the audit has, and until when each is told.
    words: Mutex<Recent<String, Timestamp>>,
    /// Held by who writes one there.
    telling: tokio::sync::Mutex<()>,
    /// Devices that were found to stay away.
    away: Mutex<away::Away>,
    /// Proofs of devices that were here.
    pub proofs: Proofs,
    /// How often what was remembered was forgotten.
    forgotten: AtomicU64,
    /// Tells those who hold something open.
    ended: watch::Sender<u64>,
}

impl Access {
    /// Over these records; the master token opens everything, if there is one.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        master: Option<Master>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            store,
            clock,
            entropy,
            master,
            known: Mutex::new(Recent::new(REMEMBERED)),
            proven: Mutex::new(Recent::new(REMEMBERED)),
            words: Mutex::new(Recent::new(REMEMBERED)),
            telling: tokio::sync::Mutex::default(),
            away: Mutex::default(),
            proofs: Proofs::default(),
            forgotten: AtomicU64::new(0),
            ended: watch::Sender::new(0),
        })
    }

    /// A new value with 160 bits of entropy. The prefix says to people and scanners what it is.
    fn value(&self, prefix: &str) -> Secret<String> {
        Secret::new(format!("{prefix}_{}", random_text(&*self.entropy, RANDOM)))
    }

    /// Whether this is the value of a session or token that was right lately, by memory alone. It may
    /// be over by now: who is known so is not counted among strangers, and asked all the same.
    pub fn recalls(&self, value: &str) -> bool {
        let hash = hash(value);
        let proven = self.proven().get(&hash).is_some();
        proven || self.known().get(&hash).is_some()
    }

    /// Whether this is the value of a session that is remembered.
    fn sits(&self, value: &str) -> bool {
        self.known().get(&hash(value)).is_some()
    }

    /// A name for whoever is known by this value, which says nothing of it.
    pub(crate) fn nickname(&self, value: &str) -> String {
        format!("known:{:.16}", hash(value))
    }

    /// A value that was right once is right no more.
    pub(crate) fn recall_no_more(&self, value: &str) {
        let hash = hash(value);
        self.proven().remove(&hash);
        self.known().remove(&hash);
    }

    /// A token was right. Never the master's, which a person may have made up: whether it is right
    /// must not be told faster than patience allows.
    pub(crate) fn proves(&self, value: &str) {
        self.proven().insert(hash(value), ());
    }

    fn proven(&self) -> MutexGuard<'_, Recent<String, ()>> {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Recent<String, Seat>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an account may come in: it is there, and not disabled.
async fn admitted(tx: &mut dyn Tx, account: &AccountId) -> Result<bool, StoreError> {
    Ok(tx.accounts().get(account.clone()).await?.is_some_and(|account| account.active()))
}

/// SHA-256, in hex: what is kept of a value.
fn hash(value: &str) -> String {
    hex::encode(Sha256::digest(value.as_bytes()))
}
