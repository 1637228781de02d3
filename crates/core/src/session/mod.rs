//! Sessions of browsers. Only hashes are kept.

pub mod port;

use std::time::Duration;

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

/// How long a browser that has a key may go on before it proves again that it has it.
pub const PROVED: Duration = Duration::from_mins(15);
/// How far ahead of now a proof may lie that another second of a clock gave.
const AHEAD: Duration = Duration::from_secs(10);

/// What says which session is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// The hash of its cookie's value.
    Cookie(String),
    /// Its identifier.
    Id(SessionId),
}

impl From<String> for By {
    fn from(hash: String) -> Self {
        Self::Cookie(hash)
    }
}

impl From<&str> for By {
    fn from(hash: &str) -> Self {
        Self::Cookie(hash.to_owned())
    }
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
    /// When the device that it hangs on proved last that it has its key.
    pub proved: Option<Timestamp>,
}

impl Session {
    /// Who went on to a box, for the audit: whoever signed in, or else what they signed in by.
    pub fn began_by(&self) -> String {
        match (&self.person, &self.root) {
            (Some(person), _) => format!("person:{person}"),
            (None, Root { session: Some(session), .. }) => format!("session:{session}"),
            (None, Root { token: Some(token), .. }) => format!("token:{token}"),
            (None, Root { device: Some(device), .. }) => format!("device:{}", device.short()),
            (None, _) => format!("session:{}", self.id),
        }
    }

    /// Whether the device's key was here a short while ago. One that was here in the future, by a clock
    /// that was moved since, was not.
    pub fn is_proved(&self, now: Timestamp) -> bool {
        self.proved.is_some_and(|at| at.plus(PROVED) > now && at <= now.plus(AHEAD))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_for_a_while_whichever_way_the_clock_is_moved() {
        let text = format!(
            r#"{{"id":"ses_00000000000000000000","hash":"h","account":"acc_00000000000000000000",
                "person":null,"smartbox":null,"right":"own","root":{{}},"created":0,"seen":0,
                "expires":9,"proved":{}}}"#,
            Timestamp(1_000_000_000).0
        );
        let session: Session = serde_json::from_str(&text).unwrap();
        let (at, while_) = (1_000_000_000, 15 * 60_000);
        for (now, proved) in [
            (at, true),
            (at + while_ - 1, true),
            (at + while_, false),
            (at - 10_000, true),
            (at - 10_001, false),
            (0, false),
            (i64::MAX, false),
        ] {
            assert_eq!(session.is_proved(Timestamp(now)), proved, "{now}");
        }
        let never = Session { proved: None, ..session };
        assert!(!never.is_proved(Timestamp(at)));
    }
}
