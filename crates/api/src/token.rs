//! Tokens of the API and keys of operators on the wire: what signs in without a person at hand.

use serde::{Deserialize, Serialize};
use smartbox_core::id::{PersonId, SmartboxId, TokenId};
use smartbox_core::person::Right;
use smartbox_core::time::Timestamp;
use smartbox_core::token::{Purpose, Token};
use utoipa::ToSchema;

/// A token to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewToken {
    /// What it is for, in the words of whoever makes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// How much it may at the most; as much as its maker if absent, and never more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<Right>,
    /// The smartbox that it is for, by name or id; everything in the account if absent.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<String>,
    /// Seconds that it works, a year at the most; 90 days if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_secs: Option<u64>,
}

/// A key of an operator to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOperatorKey {
    /// What it is for, in the words of whoever makes it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `read` looks at everything, `manage` also starts, stops and changes, `own` may everything.
    pub right: Right,
    /// Seconds that it works, a year at the most; 90 days if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_secs: Option<u64>,
}

/// A token that was made, or has a new value. The value is shown this once and only its hash is kept.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct MadeToken {
    /// Its identifier.
    pub id: TokenId,
    /// The bearer.
    pub token: String,
    /// How much it may at the most.
    pub right: Right,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl std::fmt::Debug for MadeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeToken").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How a token gets a new value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rotate {
    /// Seconds that the old value works on, a day at the most; none if absent.
    #[serde(skip_serializing_if = "is_none")]
    pub grace_secs: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(seconds: &u64) -> bool {
    *seconds == 0
}

/// A token, or a key of an operator, as it is shown: never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// Its identifier.
    pub id: TokenId,
    /// What it is for; may be empty.
    pub name: String,
    /// How much it may at the most.
    pub right: Right,
    /// The smartbox that it is for, if for one alone.
    #[serde(rename = "box", default, skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<SmartboxId>,
    /// Whose it is, if somebody's in particular: it may never more than they.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// It is the value that this token had before, which works until it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<TokenId>,
    /// It is an invitation: it signs one browser in, once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invites: bool,
    /// When it was made, or got its value.
    pub created: Timestamp,
    /// When it stops working; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When it was used last, to the minute or so; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            before: token.before().cloned(),
            id: token.id,
            name: token.name,
            right: token.right,
            smartbox: token.smartbox,
            person: token.person,
            invites: token.purpose == Purpose::Invite,
            created: token.created,
            expires: token.expires,
            used: token.used,
        }
    }
}
