//! Which sessions a provider began, and what it wants to see when they end. Only in memory: after a restart
//! the provider asks instead.

use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use smartbox_core::secret::Secret;

use crate::recent::Recent;

/// Kept at the most, and how long each may be.
const MOST: usize = 2000;
const LONGEST: usize = 8 << 10;

/// What providers want to see again, by the hash of the session's cookie.
pub struct Hints(Mutex<Recent<[u8; 32], Option<Secret<String>>>>);

impl Default for Hints {
    fn default() -> Self {
        Self(Mutex::new(Recent::new(MOST)))
    }
}

impl Hints {
    /// Notes that a provider began a session.
    pub fn keep(&self, session: &Secret<String>, token: Secret<String>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let token = Some(token).filter(|token| token.expose().len() <= LONGEST);
        kept.insert(of(session.expose()), token);
    }

    /// Whether a provider began it, and what it wants to see.
    pub fn take(&self, session: &str) -> Option<Option<Secret<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&of(session))
    }
}

fn of(session: &str) -> [u8; 32] {
    Sha256::digest(session.as_bytes()).into()
}
