//! Which model the assistant has: the platform's own, or one that the owner chose. Pure.
//!
//! The engine knows the models of its providers by a list. The first entry of the platform's list is
//! the platform's own model; behind it stand those that the owner's part names. So the file itself
//! tells whether the model in it is a choice: only the first of the list is none.

use serde_json::{Map, Value, json};

use super::configure::{PROVIDER, look, put};

/// Where the platform's provider stands.
pub(super) const PROVIDER_KEY: &[&str] = &["models", "providers", PROVIDER];
/// Where the assistant's model stands.
const MODEL: &[&str] = &["agents", "defaults", "model"];
const PRIMARY: &[&str] = &["agents", "defaults", "model", "primary"];
/// Models of the owner's choice that join the list, at most, and the longest name.
const MOST: usize = 64;
const LONGEST: usize = 200;

/// One entry of the engine's list of models.
pub(super) fn entry(id: &str) -> Value {
    json!({
        "id": id, "name": id, "reasoning": false, "input": ["text", "image"],
        // The platform counts the cost; the engine need not.
        "cost": { "input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0 },
        "contextWindow": 200_000, "maxTokens": 8_192,
    })
}

/// Writes the platform's model where the owner has not chosen one.
pub(super) fn choose(doc: &mut Value, id: &str) {
    if is_chosen(doc) {
        return;
    }
    let wanted = json!(format!("{PROVIDER}/{id}"));
    match look(doc, MODEL) {
        Some(Value::Object(_)) => put(doc, PRIMARY, Some(wanted)),
        _ => put(doc, MODEL, Some(json!({ "primary": wanted }))),
    };
}

/// Takes the model out where it is the platform's.
pub(super) fn leave(doc: &mut Value) {
    if !is_chosen(doc) {
        let whole = look(doc, MODEL).is_some_and(|model| !model.is_object());
        put(doc, if whole { MODEL } else { PRIMARY }, None);
    }
}

/// Adds the models that the owner's part names to the list in a provider's entry.
pub(super) fn join(provider: &mut Value, doc: &Value) {
    let Some(Value::Array(list)) = provider.get_mut("models") else { return };
    let mut named = Vec::new();
    collect(doc.get("agents").unwrap_or(&Value::Null), &mut named);
    for id in named {
        if !list.iter().any(|known| known["id"] == id) {
            list.push(entry(id));
        }
    }
}

/// A patch in the engine's words: a top-level `model` is the assistant's model.
pub(super) fn meant(doc: &Value, mut patch: Value) -> Value {
    let Some(model) = patch.as_object_mut().and_then(|patch| patch.remove("model")) else {
        return patch;
    };
    let model = match model {
        Value::String(name) => json!({ "primary": full(doc, &name) }),
        Value::Object(mut map) => {
            each_name(&mut map, |name| full(doc, name));
            Value::Object(map)
        }
        // Back to the platform's, or nothing that a model can be: the schema says so then.
        Value::Null => json!({ "primary": null }),
        other => json!({ "primary": other }),
    };
    let mut whole = json!({ "agents": { "defaults": { "model": model } } });
    // What is said in the engine's own words wins.
    smartbox_core::config::merge::merge(&mut whole, patch);
    whole
}

/// A name with its provider: one of the owner's own, or the platform, which knows all others.
fn full(doc: &Value, name: &str) -> Value {
    let own = |provider: &str| {
        provider == PROVIDER || look(doc, &["models", "providers", provider]).is_some()
    };
    match name.split_once('/') {
        _ if name.is_empty() || name == "default" => Value::Null,
        Some((provider, _)) if own(provider) => json!(name),
        _ => json!(format!("{PROVIDER}/{name}")),
    }
}

fn each_name(map: &mut Map<String, Value>, change: impl Fn(&str) -> Value) {
    if let Some(Value::String(name)) = map.get("primary") {
        let name = change(name);
        map.insert("primary".into(), name);
    }
    if let Some(Value::Array(names)) = map.get_mut("fallbacks") {
        for name in names {
            if let Value::String(text) = name {
                *name = change(text);
            }
        }
    }
}

fn is_chosen(doc: &Value) -> bool {
    let primary = match look(doc, MODEL) {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Object(map)) => map.get("primary").and_then(Value::as_str),
        _ => None,
    };
    let Some(primary) = primary else { return false };
    let Some(id) = primary.strip_prefix(PROVIDER).and_then(|rest| rest.strip_prefix('/')) else {
        return true;
    };
    let first = look(doc, PROVIDER_KEY).and_then(|provider| provider["models"][0]["id"].as_str());
    first != Some(id)
}

fn collect<'a>(value: &'a Value, out: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => {
            let id = text.strip_prefix(PROVIDER).and_then(|rest| rest.strip_prefix('/'));
            if let Some(id) = id.filter(|id| (1..=LONGEST).contains(&id.len()))
                && out.len() < MOST
                && !out.contains(&id)
            {
                out.push(id);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
        Value::Object(map) => map.values().for_each(|item| collect(item, out)),
        _ => {}
    }
}
