//! One thing done to many boxes, on the wire.

use serde::{Deserialize, Serialize};
use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::{Kind, State};
use utoipa::ToSchema;

/// Which boxes are meant by what they are like. What is absent does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Selector {
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// With these labels: `team=support`, several with commas between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Of this account, by name or id; an operator's `*` means every account. The caller's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// A restart of many boxes. Exactly one of `boxes`, `selector` and `all` says of which.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BulkRestart {
    /// These, by name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boxes: Option<Vec<String>>,
    /// Those that are like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// Every box of the account.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Milliseconds between the beginnings of two boxes; at most an hour.
    pub delay_ms: u64,
    /// So many boxes at the same time, 1 to 50; 4 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Begin no other box once one has failed.
    pub stop_on_failure: bool,
    /// Do nothing, and answer with a `BulkPlan`.
    pub dry_run: bool,
}

/// What a bulk would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkPlan {
    /// Every box that is meant.
    pub items: Vec<PlannedItem>,
}

/// What a bulk would do to one box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedItem {
    /// The box's identifier.
    pub smartbox: SmartboxId,
    /// Its name.
    pub name: String,
    /// Its state now.
    pub state: State,
    /// Why nothing would be done to it; absent if something would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<String>,
}
