//! How a place in a document is written for people: `agents.defaults.model`, `list[2].id`.

use std::fmt::Write;

/// Adds a key to a path; one that would be misread is put in quotes.
#[must_use]
pub fn key(path: &str, key: &str) -> String {
    let plain =
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-$/@:".contains(&b));
    match (path, plain) {
        ("", true) => key.to_owned(),
        (_, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[{}]", serde_json::Value::String(key.to_owned())),
    }
}

/// Adds the place in a list to a path.
#[must_use]
pub fn item(path: &str, index: usize) -> String {
    let mut out = path.to_owned();
    // Writing to a string cannot fail.
    let _ = write!(out, "[{index}]");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_a_dot_is_not_two_keys() {
        assert_eq!(key("", "agents"), "agents");
        assert_eq!(key("agents", "defaults"), "agents.defaults");
        assert_eq!(key("models", "a.b"), "models[\"a.b\"]");
        assert_eq!(key("", ""), "[\"\"]");
        assert_eq!(item("a.b", 3), "a.b[3]");
    }
}
