//! Sessions of browsers. Only hashes are kept.

pub mod port;

use serde::{Deserialize, Serialize};

use crate::device::DeviceId;
use crate::id::{AccountId, PersonId, SessionId, SmartboxId, TokenId};
use crate::person::Right;
use crate::time::Timestamp;

/// What a session or a ticket hangs on: it ends with each of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// A session on the platform's own origin.
    pub session: Option<SessionId>,
    /// A token that somebody signed in by.
    pub token: Option<TokenId>,
    /// A device that was let in: it ends when the device is let in no more.
    pub device: Option<DeviceId>,
}

/// A browser that signed in, on one origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its identifier.
    pub id: SessionId,
    /// SHA-256 of the cookie's value, hex.
    pub hash: String,
    /// Who it acts for.
    pub account: AccountId,
    /// Who signed in; nobody in particular by a link or a token of the account.
    pub person: Option<PersonId>,
    /// The box whose origin it is on; none on the platform's own.
    pub smartbox: Option<SmartboxId>,
    /// How much it may at the most.
    pub right: Right,
    /// What it hangs on.
    pub root: Root,
    /// When it began.
    pub created: Timestamp,
    /// When it was used last, to the minute or so.
    pub seen: Timestamp,
    /// When it ends whatever happens.
    pub expires: Timestamp,
}
