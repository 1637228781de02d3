//! The engine's configuration of a smartbox: the owner's document, its revisions, what differs.
//!
//! Three documents must not be mixed up. The *file* is what stands in the home; the engine and the
//! assistant write it, too. The *owner's* document is the file without what is the platform's. The
//! *effective* one is the owner's with the platform's part merged in: what the engine is started with.

pub mod diff;
pub mod merge;
pub mod path;
pub mod port;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::id::SmartboxId;
use crate::time::Timestamp;

/// The largest file that is read, and the largest document that is accepted, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting that is read or accepted.
pub const MAX_DEPTH: usize = 64;
/// Revisions that are kept of each box.
pub const KEPT: u32 = 20;

/// One revision of an owner's document, without the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Whose.
    pub smartbox: SmartboxId,
    /// Its number in the box, from 1; never given twice.
    pub seq: u64,
    /// When it was written, or first seen.
    pub at: Timestamp,
    /// Who wrote it, as in the audit; `box` for the engine or the assistant.
    pub actor: String,
    /// How it came to be: `replaced`, `patched`, `rolled back to 3`, …
    pub how: String,
    /// The digest of the document.
    pub digest: String,
    /// Why the engine refused to start with it, if it did.
    pub refused: Option<String>,
}

/// Something that the engine's schema does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ConfigFault)]
pub struct Fault {
    /// Where, like `agents.defaults.model`; empty for the whole document.
    pub path: String,
    /// What is wrong, without the value: that may be a secret.
    pub message: String,
    /// What was probably meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Whether a running engine goes by what its file says now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It does.
    Yes,
    /// It does not yet.
    NotYet,
    /// It will not before it starts again.
    AtRestart,
    /// It does not want to, and goes by what it had before.
    Refused(Vec<Fault>),
}

/// What a change needs to be in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ConfigApplied)]
#[serde(rename_all = "kebab-case")]
pub enum Applied {
    /// The engine has taken it up.
    Live,
    /// The engine starts again by itself to take it up.
    Restarting,
    /// The engine runs and will take it up; it had not yet when this was said.
    Soon,
    /// The engine is frozen and takes it up when it wakes.
    OnWake,
    /// The engine runs and takes it up only when it starts again.
    RestartNeeded,
    /// The engine does not run.
    AtNextStart,
}

/// The text of a document that does not depend on the order of its keys: what is hashed and stored.
pub fn canonical(document: &Value) -> String {
    match document {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            let member = |key: &&String| {
                format!("{}:{}", Value::String((*key).clone()), canonical(&map[*key]))
            };
            format!("{{{}}}", keys.iter().map(member).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        plain => plain.to_string(),
    }
}

/// How deep a document is nested.
pub fn depth(document: &Value) -> usize {
    match document {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter_and_that_of_items_does() {
        let one: Value = serde_json::from_str(r#"{"b":[1,{"d":null,"c":"x"}],"a":true}"#).unwrap();
        assert_eq!(canonical(&one), r#"{"a":true,"b":[1,{"c":"x","d":null}]}"#);
        assert_ne!(canonical(&json!([1, 2])), canonical(&json!([2, 1])));
        assert_eq!(serde_json::from_str::<Value>(&canonical(&one)).unwrap(), one);
    }

    #[test]
    fn depth_counts_containers() {
        assert_eq!(depth(&json!(1)), 0);
        assert_eq!(depth(&json!({"a": [[1]], "b": {}})), 3);
    }
}
