//! What stands between braces in a path, said once for all the operations that have it.

use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Schema, Type};

/// The segment before, the name, and what it is.
const IN_PATHS: &[(&str, &str, &str)] = &[
    ("accounts", "account", "The account: its name or its id."),
    ("boxes", "name", "The smartbox: its name in the caller's account, or its id."),
    ("devices", "id", "The device's id."),
    ("execs", "id", "The command's id."),
    ("jobs", "id", "The job's id."),
    ("rules", "id", "The rule's id."),
    ("snapshots", "generation", "The snapshot: its number, or `newest`."),
    ("tombstones", "id", "The removed smartbox's id."),
    ("issues", "id", "The issue's id."),
    ("people", "person", "The person: their id or their address."),
    ("members", "person", "The person: their id or their address."),
    ("shares", "person", "The person: their id or their address."),
    ("tokens", "id", "The token's id."),
    ("operator-keys", "id", "The key's id."),
    ("messages", "id", "The message's id."),
    ("secrets", "name", "The secret's name: `A-Z`, `0-9` and `_`."),
];

/// Describes the parameters of the path that the operation itself has not described.
pub(super) fn describe(path: &str, operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    for (noun, name) in named(path) {
        let what = IN_PATHS.iter().find(|(before, word, _)| (*before, *word) == (noun, name));
        let what = what.map(|(_, _, what)| (*what).to_owned());
        let there = parameters.iter_mut().find_map(|p| match p {
            RefOr::T(p) if p.parameter_in == ParameterIn::Path && p.name == name => Some(p),
            _ => None,
        });
        match there {
            Some(there) => there.description = there.description.take().or(what),
            None => parameters.push(RefOr::T(parameter(name, what))),
        }
    }
    if parameters.is_empty() {
        operation.parameters = None;
    }
}

/// Whether it is done only to the revision that its caller has seen.
pub(super) fn compares(operation: &Operation) -> bool {
    operation.parameters.iter().flatten().any(
        |parameter| matches!(parameter, RefOr::T(p) if p.name.eq_ignore_ascii_case("if-match")),
    )
}

/// The key under which it is done once.
pub(super) fn add_key(operation: &mut Operation) {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::from(Type::String))
        .pattern(Some("^[!-~]+$"))
        .min_length(Some(1))
        .max_length(Some(255));
    let what = "The caller's own key: what is asked twice under it is done once.";
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(what))
        .schema(Some(RefOr::T(Schema::Object(schema.build()))))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(key));
}

/// Each name between braces, and the segment before it.
fn named(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.split('/').zip(path.split('/').skip(1)).filter_map(|(before, segment)| {
        Some((before, segment.strip_prefix('{')?.strip_suffix('}')?.trim_start_matches('*')))
    })
}

fn parameter(name: &str, what: Option<String>) -> Parameter {
    let schema = ObjectBuilder::new().schema_type(SchemaType::from(Type::String)).build();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(what)
        .schema(Some(RefOr::T(Schema::Object(schema))))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_with_their_nouns() {
        let found: Vec<_> = named("/api/v1/boxes/{name}/files/{*path}").collect();
        assert_eq!(found, [("boxes", "name"), ("files", "path")]);
    }
}
