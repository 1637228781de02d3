//! Makes a schema ready to be compiled: smaller, and in the words of the standard.

use serde_json::{Map, Value};

/// Keywords whose members are names of the document's, not keywords.
const NAMES: &[&str] = &["properties", "patternProperties", "definitions", "$defs"];

/// Leaves out what is for people; leads references of a plugin's part to that part; does not ask for
/// what the engine fills in by itself; writes patterns as other engines of regular expressions want it.
pub(super) fn prepare(schema: &mut Value) {
    walk(schema, &mut |object| {
        for key in ["title", "description", "examples"] {
            object.remove(key);
        }
        drop_filled_in(object);
        if let Some(Value::String(pattern)) = object.get_mut("pattern") {
            // JavaScript's NUL.
            *pattern = pattern.replace("\\0", "\\x00");
        }
    });
    lead(schema, "", "");
}

/// Leaves the patterns out.
pub(super) fn forget_patterns(schema: &mut Value) {
    walk(schema, &mut |object| {
        object.remove("pattern");
    });
}

/// What has a default need not be written, though the schema, which describes the result, asks for it.
fn drop_filled_in(object: &mut Map<String, Value>) {
    let filled = |properties: Option<&Value>, key: &Value| {
        let key = key.as_str().unwrap_or_default();
        properties.and_then(|p| p.get(key)).is_some_and(|p| p.get("default").is_some())
    };
    let properties = object.get("properties").cloned();
    if let Some(Value::Array(required)) = object.get_mut("required") {
        required.retain(|key| !filled(properties.as_ref(), key));
    }
}

fn walk(schema: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    match schema {
        Value::Object(object) => {
            visit(object);
            for (key, value) in object.iter_mut() {
                match value {
                    Value::Object(named) if NAMES.contains(&key.as_str()) => {
                        named.values_mut().for_each(|value| walk(value, visit));
                    }
                    // Values of the document's, which may look like schemas.
                    _ if matches!(key.as_str(), "const" | "enum" | "default") => {}
                    value => walk(value, visit),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

/// A part that came from a plugin has definitions of its own, and references to them as if it were
/// the whole.
fn lead(schema: &mut Value, at: &str, part: &str) {
    match schema {
        Value::Object(object) => {
            let own = object.contains_key("$defs") || object.contains_key("definitions");
            let part = if own { at } else { part }.to_owned();
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && let Some(rest) = reference.strip_prefix("#/")
            {
                *reference = format!("#{part}/{rest}");
            }
            for (key, value) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                lead(value, &format!("{at}/{key}"), &part);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                lead(item, &format!("{at}/{index}"), part);
            }
        }
        _ => {}
    }
}
