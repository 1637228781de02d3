//! A person: somebody who may be a member of accounts, and with whom single smartboxes may be shared.

mod email;
mod identity;
pub mod port;
mod right;
pub mod rule;

use serde::{Deserialize, Serialize};

pub use email::email;
pub use identity::Identity;
pub use right::{Right, Role};
pub use rule::{Gives, Rule, Whom};

use crate::id::PersonId;
use crate::time::Timestamp;

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Its identifier.
    pub id: PersonId,
    /// What people call them.
    pub name: String,
    /// An address that a provider vouches for.
    pub email: Option<String>,
    /// Runs the installation, and how much of it.
    pub operator: Option<Right>,
    /// May not come in any more.
    pub disabled: bool,
    /// When they first came in, or were written down.
    pub created: Timestamp,
}
