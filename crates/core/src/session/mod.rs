//! Signing in: tokens, tickets and browser sessions. Only hashes are kept.

pub mod port;

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, SessionId, SmartboxId, TokenId};
use crate::time::Timestamp;

/// A browser that signed in, on one origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its identifier.
    pub id: SessionId,
    /// SHA-256 of the cookie's value, hex.
    pub hash: String,
    /// Who it acts for.
    pub account: AccountId,
    /// The box whose origin it is on; none on the platform's own.
    pub smartbox: Option<SmartboxId>,
    /// When it began.
    pub created: Timestamp,
    /// When it ends whatever happens.
    pub expires: Timestamp,
}

/// Something that signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its identifier.
    pub id: TokenId,
    /// SHA-256 of its value, hex.
    pub hash: String,
    /// Who it signs in.
    pub account: AccountId,
    /// The box that a ticket leads to.
    pub smartbox: Option<SmartboxId>,
    /// How it may be used.
    pub purpose: Purpose,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Option<Timestamp>,
}

/// How a token may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The link that `up` prints; replaced by the next `up`.
    Link,
    /// Bearer of API calls over TCP.
    Api,
    /// Takes a browser from the platform's origin to a box's; burnt by its first use.
    Ticket,
}

impl Purpose {
    /// The word in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Api => "api",
            Self::Ticket => "ticket",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Link, Self::Api, Self::Ticket].into_iter().find(|p| p.as_str() == text)
    }
}
