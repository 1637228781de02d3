//! Rows of a transcript in OpenClaw's shape.

use serde_json::{Value, json};
use smartbox_core::time::Timestamp;

/// What a person (or the engine in a person's place) wrote.
pub(super) fn user(key: &str, text: &str, at: Timestamp) -> Value {
    json!({
        "role": "user", "content": text, "timestamp": at.0,
        "idempotencyKey": format!("{key}:user"),
        "__openclaw": { "id": format!("row-{key}"), "idempotencyKey": format!("{key}:user") },
    })
}

/// What the assistant answered.
pub(super) fn assistant(run: &str, text: &str, at: Timestamp) -> Value {
    json!({
        "role": "assistant", "content": [{ "type": "text", "text": text }], "timestamp": at.0,
        "stopReason": "stop", "__openclaw": { "id": format!("answer-{run}"), "runId": run },
    })
}

/// A turn that ended without an answer.
pub(super) fn failure(run: &str, why: &str, at: Timestamp) -> Value {
    json!({
        "role": "custom", "customType": "run-failed-before-reply", "timestamp": at.0,
        "content": format!("This turn ended before a reply: {why}"), "display": true,
        "__openclaw": { "id": format!("failure-{run}"), "runId": run },
    })
}

/// Whether it is the row of the message with this key.
pub(super) fn is_user(row: &Value, key: &str) -> bool {
    row["idempotencyKey"].as_str().and_then(|k| k.strip_suffix(":user")) == Some(key)
}

/// The text of a row.
pub(super) fn text(row: &Value) -> String {
    match &row["content"] {
        Value::String(text) => text.clone(),
        parts => parts[0]["text"].as_str().unwrap_or_default().to_owned(),
    }
}
