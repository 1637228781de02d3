//! One thing done to many boxes, on the wire.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use smartbox_core::config::Fault;
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

/// A merge patch over the configuration of many boxes' engines. Exactly one of `boxes`, `selector` and
/// `all` says of which. The patch may hold credentials, so that this is not printable.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkConfig {
    /// A merge patch (RFC 7396), as for one box; a top-level `model` is the assistant's model.
    #[schema(value_type = Object)]
    pub patch: Value,
    /// These, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boxes: Option<Vec<String>>,
    /// Those that are like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// Every box of the account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Milliseconds between the beginnings of two boxes; at most an hour.
    #[serde(default)]
    pub delay_ms: u64,
    /// So many boxes at the same time, 1 to 50; 4 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Begin no other box once one has failed.
    #[serde(default)]
    pub stop_on_failure: bool,
    /// Change nothing, and answer with a `BulkConfigPlan`.
    #[serde(default)]
    pub dry_run: bool,
}

impl std::fmt::Debug for BulkConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkConfig").field("dry_run", &self.dry_run).finish_non_exhaustive()
    }
}

/// What a patch would do to many boxes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkConfigPlan {
    /// Every box that is meant.
    pub items: Vec<PlannedConfig>,
}

/// What a patch would do to one box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedConfig {
    /// The box's identifier.
    pub smartbox: SmartboxId,
    /// Its name.
    pub name: String,
    /// Its state now.
    pub state: State,
    /// Where its document would differ, like `agents.defaults.model`: 50 places at most, and no values.
    pub changes: Vec<String>,
    /// Keys that the patch sets and the platform decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<String>,
    /// What the engine's schema does not allow: the box would be left as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// Why it could not be changed at all, with the word for programs in front.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl PlannedConfig {
    /// Whether the patch could be made.
    pub const fn good(&self) -> bool {
        self.errors.is_empty() && self.refused.is_none()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_does_not_print() {
        let asked = BulkConfig { patch: json!({"token": "hunter2"}), ..BulkConfig::default() };
        assert!(!format!("{asked:?}").contains("hunter2"));
    }
}
