//! A sign-in between its beginning and its end.

use std::fmt;

use serde::{Deserialize, Serialize};
use smartbox_core::person::Identity;
use smartbox_core::secret::Secret;
use smartbox_core::time::Timestamp;

/// What is kept of a sign-in while the browser is at the provider's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// What the browser must come back with.
    pub state: String,
    /// What the token must say.
    pub(super) nonce: String,
    /// What shows the provider that it is us who began.
    pub(super) verifier: String,
    /// Where the browser comes back to.
    pub(super) back: String,
    /// Until when it can be finished.
    pub expires: Timestamp,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// The query that the browser comes back with.
#[derive(Clone, Default, Deserialize)]
pub struct Returned {
    /// What is exchanged for who it is.
    #[serde(default)]
    pub code: Option<String>,
    /// Which beginning it belongs to.
    #[serde(default)]
    pub state: Option<String>,
    /// Which provider it comes from, if the provider says so.
    #[serde(default)]
    pub iss: Option<String>,
    /// Why nobody was signed in.
    #[serde(default)]
    pub error: Option<String>,
    /// The same, for a person.
    #[serde(default)]
    pub error_description: Option<String>,
}

/// Somebody who came back.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub identity: Identity,
    /// What the provider wants to see again when they sign out.
    pub id_token: Secret<String>,
}
