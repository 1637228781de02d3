//! People on the wire: who they are, and what they may with accounts and smartboxes.

use serde::{Deserialize, Serialize};
use smartbox_core::id::{AccountId, PersonId, SmartboxId};
use smartbox_core::person::{Person, Right, Role};
use smartbox_core::time::Timestamp;
use utoipa::ToSchema;

/// A person as operators see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonView {
    /// Their identifier, for ever.
    pub id: PersonId,
    /// What people call them.
    pub name: String,
    /// Their address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// How much of the installation they run, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Right>,
    /// They may not come in.
    pub disabled: bool,
    /// When they first came in, or were written down.
    pub created: Timestamp,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        let Person { id, name, email, operator, disabled, created } = person;
        Self { id, name, email, operator, disabled, created }
    }
}

/// A person to be written down. Whoever signs in with that address, and a provider vouches for it, is
/// them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// Their address.
    pub email: String,
    /// What people call them; the address if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How much of the installation they run: `read`, `manage` or `own`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Right>,
}

/// A change of a person; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PersonChange {
    /// What people call them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How much of the installation they run; `none` to take it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<Operates>,
    /// Lets them in no more, or again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// How much of the installation somebody runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operates {
    /// Nothing.
    None,
    /// Looks at everything.
    Read,
    /// Also starts, stops and changes.
    Manage,
    /// May everything.
    Own,
}

impl Operates {
    /// As a right.
    pub const fn right(self) -> Option<Right> {
        match self {
            Self::None => None,
            Self::Read => Some(Right::Read),
            Self::Manage => Some(Right::Manage),
            Self::Own => Some(Right::Own),
        }
    }
}

/// A member of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// Who.
    pub person: PersonId,
    /// What people call them.
    pub name: String,
    /// Their address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// They may not come in.
    pub disabled: bool,
    /// What they are in the account.
    pub role: Role,
}

/// What somebody is to be in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// `viewer` looks, `member` works with its smartboxes, `owner` may everything.
    pub role: Role,
}

/// Somebody with whom a smartbox is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShareView {
    /// Who.
    pub person: PersonId,
    /// What people call them.
    pub name: String,
    /// Their address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// They may not come in.
    pub disabled: bool,
    /// What they may with it.
    pub right: Right,
}

/// What somebody is to be allowed with a smartbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    /// `read`, `chat` or `manage`.
    pub right: Right,
}

/// Who asks, as the platform knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoAmI {
    /// By which means: `local`, `master-token`, `token`, `session`, `access` or `dev-mode`.
    pub by: String,
    /// The words by which the audit calls them.
    pub actor: String,
    /// The account that they act for: its name.
    pub account: String,
    /// Its identifier.
    pub account_id: AccountId,
    /// What they may with everything in the account; nothing but what is shared with them if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<Right>,
    /// How much what they came in by may at the most.
    pub most: Right,
    /// The one smartbox that they reach, if there is but one.
    #[serde(rename = "box", default, skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<SmartboxId>,
    /// Who they are, if somebody in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonView>,
    /// How much of the installation they run, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Right>,
}
