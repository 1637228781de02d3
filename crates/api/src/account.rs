//! Accounts on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smartbox_core::account::Account;
use smartbox_core::id::AccountId;
pub use smartbox_core::labels::Labels;
use smartbox_core::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

/// An account as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// Its identifier, for ever.
    pub id: AccountId,
    /// Its name, unique in the installation, for ever.
    pub name: String,
    /// What people call it; empty if nobody said.
    #[serde(default)]
    pub display_name: String,
    /// What the operator sorts it by.
    #[serde(default)]
    pub labels: Labels,
    /// Its smartboxes stand still and its tokens are refused.
    pub disabled: bool,
    /// It goes once its last smartbox is gone.
    #[serde(default)]
    pub removing: bool,
    /// Rises with every change.
    pub revision: u64,
    /// When it was made.
    pub created: Timestamp,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            name: account.name,
            display_name: account.display,
            labels: account.labels,
            disabled: account.disabled,
            removing: account.removing,
            revision: account.revision,
            created: account.created,
        }
    }
}

/// An account to be made. Its PA is made with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Its name: 1 to 40 of `a-z`, `0-9` and `-`, beginning with a letter.
    pub name: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What to sort it by.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
}

/// A change of an account; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccountChange {
    /// What people call it; empty to have its name again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Labels to set by their key, and with `null` to remove.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Option<String>>,
    /// Stops its smartboxes and refuses its tokens, or undoes that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// How an account is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct AccountRemoval {
    /// What becomes of its smartboxes; without it there must be none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub boxes: Option<BoxesOfIt>,
}

/// What becomes of the smartboxes of an account that is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BoxesOfIt {
    /// They go too, homes and all.
    Remove,
}
