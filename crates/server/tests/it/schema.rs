//! Whether a value is what a schema of the OpenAPI document says: as much of JSON Schema as the
//! document uses.

use serde_json::Value;

/// Where and how the value differs; `None` if it fits.
pub fn misfit(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    if let Some(to) = schema["$ref"].as_str() {
        let schema = document.pointer(to.strip_prefix('#')?);
        return match schema {
            Some(schema) => misfit(document, schema, value),
            None => Some(format!("{to} leads nowhere")),
        };
    }
    let list = |word: &str| schema[word].as_array().cloned().unwrap_or_default();
    let any: Vec<Value> = [list("oneOf"), list("anyOf")].concat();
    if !any.is_empty() && any.iter().all(|one| misfit(document, one, value).is_some()) {
        return Some(format!("{value} is none of {}", any.len()));
    }
    if let Some(wrong) = list("allOf").iter().find_map(|one| misfit(document, one, value)) {
        return Some(wrong);
    }
    let words = list("enum");
    if !words.is_empty() && !words.contains(value) {
        return Some(format!("{value} is not one of {words:?}"));
    }
    if !is(&schema["type"], value) {
        return Some(format!("{value} is no {}", schema["type"]));
    }
    let items = value.as_array().into_iter().flatten();
    if let Some(wrong) = items.into_iter().find_map(|it| misfit(document, &schema["items"], it)) {
        return Some(wrong);
    }
    let members = value.as_object()?;
    for name in list("required") {
        let name = name.as_str().unwrap_or_default();
        if !members.contains_key(name) {
            return Some(format!("there is no {name}"));
        }
    }
    members.iter().find_map(|(name, value)| {
        let schema = match &schema["properties"][name] {
            Value::Null => &schema["additionalProperties"],
            schema => schema,
        };
        match schema {
            Value::Bool(false) => Some(format!("{name} is unknown")),
            schema => misfit(document, schema, value).map(|wrong| format!("{name}: {wrong}")),
        }
    })
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| is(kind, value)),
        Value::String(kind) => match kind.as_str() {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            _ => value.is_object(),
        },
        _ => true,
    }
}

#[test]
fn a_value_that_differs_is_found() {
    use serde_json::json;
    let document = json!({ "s": { "type": "object", "required": ["a"], "properties": {
        "a": { "type": "integer" }, "b": { "oneOf": [{ "type": "null" }, { "enum": ["x"] }] },
        "c": { "type": "array", "items": { "$ref": "#/s" } } } } });
    let schema = json!({ "$ref": "#/s" });
    let wrong = |value: Value| misfit(&document, &schema, &value).is_some();
    assert!(!wrong(json!({ "a": 1, "b": "x", "c": [{ "a": 2, "b": null }] })));
    for value in [
        json!([]),
        json!({}),
        json!({ "a": "1" }),
        json!({ "a": 1, "b": "y" }),
        json!({ "a": 1, "c": [{ "a": 1.5 }] }),
    ] {
        assert!(wrong(value.clone()), "{value}");
    }
}
