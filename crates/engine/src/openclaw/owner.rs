//! The owner's part of the engine's configuration: what is left without the platform's. Pure.

use serde_json::{Value, json};
use smartbox_core::config::path;

use super::configure::{ABSENT, OWNED, PROVIDER, defaults, look, put};
use super::models;

/// What the engine notes for itself: nobody's choice.
const NOTES: &[&[&str]] = &[&["meta"], &["$schema"]];
/// Credentials that the platform writes, as seen in an effective document.
const CREDENTIALS: &[&[&str]] =
    &[&["gateway", "auth", "password"], &["models", "providers", PROVIDER, "apiKey"]];
/// What stands in their place when an effective document is shown.
const MASK: &str = "(the platform's)";

/// The document without what the platform would write anyway. Merging the platform's part in again
/// gives the effective document.
pub(super) fn owners(document: &Value) -> Value {
    let mut doc = if document.is_object() { document.clone() } else { json!({}) };
    models::leave(&mut doc);
    prune(&mut doc, &["agents", "defaults", "model"]);
    for path in OWNED.iter().map(|key| key.path).chain(ABSENT.iter().chain(NOTES).copied()) {
        put(&mut doc, path, None);
        prune(&mut doc, path);
    }
    for (path, value) in defaults() {
        if look(&doc, path) == Some(&value) {
            put(&mut doc, path, None);
            prune(&mut doc, path);
        }
    }
    doc
}

/// The keys that are the platform's, for people.
pub(super) fn platforms() -> Vec<String> {
    let dotted = |keys: &[&str]| keys.iter().fold(String::new(), |at, key| path::key(&at, key));
    let mut keys: Vec<String> =
        OWNED.iter().map(|key| key.path).chain(ABSENT.iter().copied()).map(dotted).collect();
    keys.sort_unstable();
    keys
}

pub(super) fn masked(mut effective: Value) -> Value {
    for path in CREDENTIALS {
        if look(&effective, path).is_some() {
            put(&mut effective, path, Some(json!(MASK)));
        }
    }
    effective
}

/// Takes out the objects on the way to `path` that are empty now.
fn prune(doc: &mut Value, path: &[&str]) {
    for end in (1..=path.len()).rev() {
        let at = &path[..end];
        match look(doc, at) {
            Some(Value::Object(map)) if map.is_empty() => {
                put(doc, at, None);
            }
            Some(_) => return,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
