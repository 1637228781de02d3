//! The audit: who did what, with which result; hash-chained per account.

pub mod port;

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, SmartboxId};
use crate::time::Timestamp;

/// One act, before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Whose chain it belongs to.
    pub account: AccountId,
    /// Who acted: `owner`, `cli:uid=1000`, `platform`, …
    pub actor: String,
    /// What was done, as `noun.verb`: `box.stop`, `secret.set`.
    pub action: String,
    /// To which box, if one.
    pub smartbox: Option<SmartboxId>,
    /// What else tells the story; never a secret.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// An act in its place: `hash = sha256(previous hash ‖ canonical JSON of the act)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 1, 2, 3, … within the account.
    pub seq: u64,
    /// The act.
    pub act: Act,
    /// Lower-case hex.
    pub hash: String,
}
