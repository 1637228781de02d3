//! An account: the person or team that owns smartboxes and pays.

pub mod port;

use serde::{Deserialize, Serialize};

use crate::id::AccountId;
use crate::time::Timestamp;

/// Who owns smartboxes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its identifier.
    pub id: AccountId,
    /// Unique in the installation; the first account is `me`.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
}
