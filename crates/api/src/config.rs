//! The configuration of a box's engine on the wire.

use serde::{Deserialize, Serialize};
use serde_json::Value;
pub use smartbox_core::config::{Applied, Fault};
use smartbox_core::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

/// The longest document or patch, in bytes.
pub const MAX_DOCUMENT: usize = smartbox_core::config::MAX_BYTES / 2;
/// The media type of a merge patch.
pub const MERGE_PATCH: &str = "application/merge-patch+json";

/// A box's configuration as it stands in its home.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConfigView {
    /// Another one for every other document; also the `ETag`.
    pub digest: String,
    /// The revision that the document is of; absent if the engine or the assistant wrote it since the
    /// last revision, or nobody wrote anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// What the owner wrote, without the platform's part.
    #[schema(value_type = Object)]
    pub document: Value,
    /// What the engine is started with; the platform's credentials are masked.
    #[schema(value_type = Object)]
    pub effective: Value,
    /// The keys that are the platform's, whatever the owner writes.
    pub platform: Vec<String>,
    /// Those of them that the file sets otherwise.
    pub overridden: Vec<String>,
    /// Why the file cannot be read, if it cannot: it can be replaced and rolled back then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// Whether to do it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigQuery {
    /// Only say what would come of it.
    pub dry_run: bool,
}

/// One place that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConfigChange {
    /// Where, like `agents.defaults.model`.
    pub path: String,
    /// What was there; absent if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "there")]
    #[schema(value_type = Option<Value>)]
    pub before: Option<Value>,
    /// What is there; absent if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "there")]
    #[schema(value_type = Option<Value>)]
    pub after: Option<Value>,
}

/// A value that is there and `null` is not one that is not there.
mod there {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Value>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Value>, D::Error> {
        Value::deserialize(from).map(Some)
    }
}

/// What came of a change, or would come of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConfigChanged {
    /// The revision in force; absent for a dry run, and if nobody ever wrote anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The new document's digest; also the `ETag`.
    pub digest: String,
    /// What differs.
    pub changes: Vec<ConfigChange>,
    /// Keys that were asked for and are the platform's.
    pub overridden: Vec<String>,
    /// What the engine's schema does not allow; only of a dry run, since it is refused otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// What it needs to be in force; absent for a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
}

/// One revision in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevisionView {
    /// Its number, which is never given to another.
    pub revision: u64,
    /// When it was written, or first seen.
    pub at: Timestamp,
    /// Who wrote it; `box` for the engine or the assistant.
    pub actor: String,
    /// How it came to be.
    pub how: String,
    /// Its document's digest.
    pub digest: String,
    /// Why the engine refused it, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Which revision to compare with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct Against {
    /// Its number; the revision before if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<u64>,
}

/// One revision with its document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RevisionDetail {
    /// The revision.
    #[serde(flatten)]
    pub revision: RevisionView,
    /// The owner's document.
    #[schema(value_type = Object)]
    pub document: Value,
    /// What it is compared with; absent for what there was before all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<u64>,
    /// What differs from that.
    pub changes: Vec<ConfigChange>,
}

/// Which revision to go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// Its number.
    pub revision: u64,
}

/// What came of a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reloaded {
    /// How the engine stands to its file now.
    pub applied: Applied,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_a_value_and_absent_is_none() {
        let change = ConfigChange { path: "a".into(), before: None, after: Some(Value::Null) };
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(text, r#"{"path":"a","after":null}"#);
        assert_eq!(serde_json::from_str::<ConfigChange>(&text).unwrap(), change);
    }
}
