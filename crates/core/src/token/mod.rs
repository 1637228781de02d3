//! Tokens: what signs in without a person at hand, and tickets. Only hashes are kept.

pub mod port;

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, PersonId, SmartboxId, TokenId};
use crate::person::Right;
use crate::session::Root;
use crate::time::Timestamp;

/// Something that signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its identifier.
    pub id: TokenId,
    /// SHA-256 of its value, hex.
    pub hash: String,
    /// What its maker calls it; may be empty.
    pub name: String,
    /// Who it signs in.
    pub account: AccountId,
    /// On whose behalf, if it is a person's: it may never more than they.
    pub person: Option<PersonId>,
    /// The box that it is for: a ticket leads there, a token of the API reaches nothing else.
    pub smartbox: Option<SmartboxId>,
    /// How it may be used.
    pub purpose: Purpose,
    /// How much it may at the most.
    pub right: Right,
    /// What it hangs on.
    pub root: Root,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Option<Timestamp>,
    /// When it was used last, to the minute or so.
    pub used: Option<Timestamp>,
}

/// Random characters of a value, of five bits each.
pub const RANDOM: usize = 32;

/// Whether this looks like a value that the platform made: of a token, a ticket, a session. There are 2^160
/// of each, so that guessing one is hopeless, and one that is not good was good once, or is made up. Neither
/// is a guess that anybody else should have to wait for.
pub fn plausible(value: &str) -> bool {
    let rest = value.strip_prefix("sb").and_then(|rest| rest.split_once('_'));
    rest.is_some_and(|(kind, text)| {
        let random = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let kind = kind.len() == 1 && kind.bytes().all(|b| b.is_ascii_lowercase());
        kind && text.len() == RANDOM && text.bytes().all(random)
    })
}

/// What a token's name begins with that is the value which another one had before.
pub const BEFORE: &str = "before ";

impl Token {
    /// The token whose former value this is.
    pub fn before(&self) -> Option<&TokenId> {
        self.root.token.as_ref().filter(|id| self.name.strip_prefix(BEFORE) == Some(id.as_str()))
    }
}

/// How a token may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The link that `up` prints; replaced by the next `up`.
    Link,
    /// The gateway token of an account or a box: bearer of API calls, and `?token=`.
    Api,
    /// Takes a browser from the platform's origin to a box's; burnt by its first use.
    Ticket,
    /// Of a device that was let in: good only with a proof of its key.
    Device,
    /// A key of an operator: bearer of the fleet's calls.
    Operator,
    /// Signs one browser in, and lets it in; burnt by its first use.
    Invite,
}

impl Purpose {
    /// The word in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Api => "api",
            Self::Ticket => "ticket",
            Self::Device => "device",
            Self::Operator => "operator",
            Self::Invite => "invite",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Link, Self::Api, Self::Ticket, Self::Device, Self::Operator, Self::Invite]
            .into_iter()
            .find(|p| p.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_here_is_told_from_what_somebody_made_up() {
        let text = "0123456789abcdefghjkmnpqrstvwxyz";
        for kind in ["sba", "sbd", "sbl", "sbo", "sbp", "sbs", "sbt"] {
            assert!(plausible(&format!("{kind}_{text}")), "{kind}");
        }
        for not in [
            String::new(),
            text.to_owned(),
            format!("sb_{text}"),
            format!("sbaa_{text}"),
            format!("sb\u{fc}_{text}"),
            format!("sb\"_{text}"),
            format!("xba_{text}"),
            format!("sba-{text}"),
            format!("sba_{text}0"),
            format!("sba_{}", &text[1..]),
            format!("sba_{}<", &text[1..]),
            format!("sba_{}", text.to_uppercase()),
            "a-master-token-of-some-length".to_owned(),
        ] {
            assert!(!plausible(&not), "{not}");
        }
    }
}
