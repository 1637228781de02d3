//! What a schema does not allow, in words for the owner. Values are never repeated: they may be
//! secrets.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;
use smartbox_core::config::{Fault, path};

/// Faults that are told of one document, at most.
const MOST: usize = 50;

pub(super) fn of(validator: &Validator, schema: &Value, document: &Value) -> Vec<Fault> {
    let mut out = Vec::new();
    for error in validator.iter_errors(document) {
        let place = dotted(document, error.instance_path().as_str());
        match error.kind() {
            Kind::AdditionalProperties { unexpected } => {
                let known = known_beside(schema, error.schema_path().as_str());
                for key in unexpected {
                    out.push(Fault {
                        path: path::key(&place, key),
                        message: "the engine knows no such key".into(),
                        hint: nearest(key, &known).map(|key| format!("did you mean `{key}`?")),
                    });
                }
            }
            _ => {
                let message = message(&error, schema);
                out.push(Fault { path: place, message, hint: None });
            }
        }
        if out.len() >= MOST {
            break;
        }
    }
    out.truncate(MOST);
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out
}

fn message(error: &ValidationError<'_>, schema: &Value) -> String {
    match error.kind() {
        Kind::Required { property } => {
            format!("it needs the key `{}`", property.as_str().unwrap_or_default())
        }
        Kind::Type { kind: TypeKind::Single(kind) } => format!("it must be of type {kind}"),
        Kind::Enum { options } => format!("it must be one of {options}"),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            let choices = choices(schema, error.schema_path().as_str());
            match choices {
                Some(choices) => format!("it must be one of {choices}"),
                None => "it has none of the forms that it may have".into(),
            }
        }
        _ => error.masked().to_string().chars().take(300).collect(),
    }
}

/// The values that a choice allows, if it is one between values.
fn choices(schema: &Value, at: &str) -> Option<String> {
    let alternatives = schema.pointer(at)?.as_array()?;
    let values: Option<Vec<String>> = alternatives
        .iter()
        .map(|alternative| alternative.get("const").map(ToString::to_string))
        .collect();
    values.map(|values| values.join(", "))
}

/// The keys that are known where `additionalProperties` at this place of the schema refuses one.
fn known_beside(schema: &Value, at: &str) -> Vec<String> {
    let parent = at.rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = schema.pointer(parent).and_then(|parent| parent.get("properties"));
    properties.and_then(Value::as_object).into_iter().flat_map(|p| p.keys().cloned()).collect()
}

/// A pointer into the document as it is written for people.
fn dotted(document: &Value, pointer: &str) -> String {
    let mut at = Some(document);
    let mut out = String::new();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        match (at, token.parse::<usize>()) {
            (Some(Value::Array(items)), Ok(index)) => {
                out = path::item(&out, index);
                at = items.get(index);
            }
            (value, _) => {
                out = path::key(&out, &token);
                at = value.and_then(|value| value.get(&token));
            }
        }
    }
    out
}

/// The known key that is nearest to one that is not known: at most a third of it differs.
fn nearest<'a>(key: &str, known: &'a [String]) -> Option<&'a str> {
    // What is longer is no slip of the finger, and would be slow to compare.
    if key.len() > 64 {
        return None;
    }
    let near = known.iter().map(|candidate| (distance(key, candidate), candidate));
    let (distance, candidate) = near.min()?;
    (distance * 3 <= key.chars().count().max(3)).then_some(candidate.as_str())
}

/// Insertions, removals, replacements and swaps of neighbours.
fn distance(from: &str, to: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (from.to_lowercase().chars().collect(), to.to_lowercase().chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut cost = (above[j - 1] + same).min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(before[j - 2] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}
