//! An account: the person or team that owns smartboxes and pays.

pub mod port;

use serde::{Deserialize, Serialize};

use crate::id::AccountId;
use crate::labels::Labels;
use crate::time::Timestamp;

/// Who owns smartboxes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its identifier.
    pub id: AccountId,
    /// Unique in the installation; the first account is `me`.
    pub name: String,
    /// What people call it; its name if empty.
    pub display: String,
    /// What the operator sorts it by.
    pub labels: Labels,
    /// Its smartboxes are stopped and its tokens refused.
    pub disabled: bool,
    /// To be removed once its last smartbox is gone.
    pub removing: bool,
    /// Rises with every change.
    pub revision: u64,
    /// When it was made.
    pub created: Timestamp,
}

impl Account {
    /// A new one without anything special.
    pub fn new(id: AccountId, name: String, created: Timestamp) -> Self {
        Self {
            id,
            name,
            display: String::new(),
            labels: Labels::default(),
            disabled: false,
            removing: false,
            revision: 1,
            created,
        }
    }

    /// Whether it may sign in, and its smartboxes run.
    pub fn active(&self) -> bool {
        !self.disabled && !self.removing
    }
}
