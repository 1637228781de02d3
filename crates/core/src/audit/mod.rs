//! The audit: who did what, with which result; hash-chained per account.

pub mod port;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, SmartboxId};
use crate::time::Timestamp;

/// One act, before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Whose chain it belongs to.
    pub account: AccountId,
    /// Who acted, and from where if by the network: `cli:uid=1000`, `platform`, [`by`].
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

/// What stands between who acted and from where.
const FROM: &str = " from ";
/// What the name of an act ends with that was asked for, and not done.
pub const REFUSED: &str = ".refused";

/// Who acts, and from where, as an [`Act`] has it: `token:tok_… from 192.0.2.7`. In one word with the
/// actor, so that whoever writes an act cannot leave it out, and what is hashed has it.
pub fn by(actor: &str, from: Option<IpAddr>) -> String {
    match from {
        Some(from) => format!("{actor}{FROM}{from}"),
        None => actor.to_owned(),
    }
}

/// Who that is, and from where, if it says so.
pub fn who(actor: &str) -> (&str, Option<&str>) {
    match actor.rsplit_once(FROM) {
        Some((who, from)) if from.parse::<IpAddr>().is_ok() => (who, Some(from)),
        _ => (actor, None),
    }
}

impl Act {
    /// Whether it was done, or asked for and refused.
    pub fn done(&self) -> bool {
        !self.action.ends_with(REFUSED)
    }
}

/// The signed end of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of the last entry; 0 for an empty chain.
    pub seq: u64,
    /// Its hash, lower-case hex; that before the first entry is 64 zeros.
    pub hash: String,
    /// Ed25519 over account, number and hash, lower-case hex.
    pub signature: String,
    /// The public key, lower-case hex.
    pub key: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_and_from_where_are_told_apart_again() {
        for (actor, from) in [
            ("token:tok_1", Some("192.0.2.7")),
            ("person:per_1", Some("2001:db8::1")),
            ("cli:uid=0", None),
            // Nobody who names himself so comes from there.
            ("x from 192.0.2.9", Some("192.0.2.7")),
        ] {
            let text = by(actor, from.map(|from| from.parse().unwrap()));
            assert_eq!(who(&text), (actor, from));
        }
        assert_eq!(who("a message from nowhere"), ("a message from nowhere", None));
    }
}
