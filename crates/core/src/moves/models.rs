//! What an old configuration says of models. A box reaches none but by the platform, which keeps the
//! keys: an assistant that came with its own could not think.

use serde_json::{Map, Value};

/// Takes out where models are and which of them the assistants have, and says by path what was taken.
/// `ours` is the provider that is the platform's: what names it stays.
pub fn leave_models(document: &mut Value, ours: &str) -> Vec<String> {
    let mut left = Vec::new();
    if let Some(Value::Object(providers)) = document.pointer_mut("/models/providers") {
        keep(providers, "models.providers", &mut left, |name, _| name == ours);
    }
    if let Some(agents) = document.get_mut("agents") {
        agents_of(agents, "agents", ours, &mut left);
    }
    left
}

fn agents_of(value: &mut Value, path: &str, ours: &str, left: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Object(listed)) = map.get_mut("models") {
                // One that is empty allows all.
                keep(listed, &format!("{path}.models"), left, |name, _| is_ours(name, ours));
            }
            keep(map, path, left, |key, value| {
                let named = key == "model" || key.ends_with("Model");
                !named || named_ones(value).all(|name| is_ours(name, ours))
            });
            for (key, value) in map {
                agents_of(value, &format!("{path}.{key}"), ours, left);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter_mut().enumerate() {
                agents_of(value, &format!("{path}.{at}"), ours, left);
            }
        }
        _ => {}
    }
}

fn keep(
    map: &mut Map<String, Value>,
    path: &str,
    left: &mut Vec<String>,
    stays: impl Fn(&str, &Value) -> bool,
) {
    map.retain(|key, value| {
        let stays = stays(key, value);
        if !stays {
            left.push(format!("{path}.{key}"));
        }
        stays
    });
}

/// The models that a choice names: itself, or a first one and others in its place.
fn named_ones(value: &Value) -> impl Iterator<Item = &str> {
    let others = value.get("fallbacks").and_then(Value::as_array);
    let all = [Some(value), value.get("primary")].into_iter().flatten();
    all.chain(others.into_iter().flatten()).filter_map(Value::as_str)
}

fn is_ours(name: &str, ours: &str) -> bool {
    name.split_once('/').is_some_and(|(provider, _)| provider == ours)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_assistant_thinks_with_the_models_of_where_it_is_now() {
        let mut document = json!({
            "agents": {
                "defaults": {
                    "model": { "primary": "anthropic/claude-sonnet-4-5", "fallbacks": [] },
                    "imageModel": "openai/gpt",
                    "models": { "anthropic/claude-sonnet-4-5": { "alias": "Sonnet" } },
                    "heartbeat": { "every": "0m", "model": "opus" },
                },
                "list": [
                    { "id": "main", "model": "platform/x" },
                    { "id": "b", "model": { "primary": "platform/x", "fallbacks": ["openai/y"] } },
                ],
            },
            "models": { "mode": "merge", "providers": { "anthropic": { "apiKey": "sk" }, "platform": {} } },
            "channels": { "telegram": { "model": "anthropic/claude" } },
        });
        let mut left = leave_models(&mut document, "platform");
        left.sort_unstable();
        assert_eq!(
            left,
            [
                "agents.defaults.heartbeat.model",
                "agents.defaults.imageModel",
                "agents.defaults.model",
                "agents.defaults.models.anthropic/claude-sonnet-4-5",
                "agents.list.1.model",
                "models.providers.anthropic",
            ]
        );
        assert_eq!(
            document,
            json!({
                "agents": {
                    "defaults": { "models": {}, "heartbeat": { "every": "0m" } },
                    "list": [{ "id": "main", "model": "platform/x" }, { "id": "b" }],
                },
                "models": { "mode": "merge", "providers": { "platform": {} } },
                "channels": { "telegram": { "model": "anthropic/claude" } },
            })
        );
        assert!(leave_models(&mut document, "platform").is_empty(), "twice is once");
        assert!(leave_models(&mut json!({ "agents": [], "models": 3 }), "platform").is_empty());
    }
}
