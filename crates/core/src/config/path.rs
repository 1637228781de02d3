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

/// The keys of a path as [`key`] writes it; none if it is not one, or leads into a list.
pub fn keys(path: &str) -> Option<Vec<String>> {
    let mut keys = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('[') {
            let mut read = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
            keys.push(read.next()?.ok()?);
            rest = quoted.get(read.byte_offset()..)?.strip_prefix(']')?;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            keys.push(Some(key).filter(|key| !key.is_empty())?.to_owned());
            rest = after;
        }
        if let Some(after) = rest.strip_prefix('.') {
            rest = Some(after).filter(|after| !after.is_empty())?;
        }
    }
    (!keys.is_empty()).then_some(keys)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_path_is_none() {
        for bad in ["", ".", "a.", ".a", "a..b", "a[0]", "a[\"x", "a[\"x\"", "[x]"] {
            assert_eq!(keys(bad), None, "{bad}");
        }
        assert_eq!(keys("a.b[\"c.d\"].e").unwrap(), ["a", "b", "c.d", "e"]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(parts in prop::collection::vec("[a-c.\\[\\]\"\u{e9} -]{0,4}", 1..5)) {
            let written = parts.iter().fold(String::new(), |at, part| key(&at, part));
            prop_assert_eq!(keys(&written), Some(parts));
        }
    }

    #[test]
    fn a_key_with_a_dot_is_not_two_keys() {
        assert_eq!(key("", "agents"), "agents");
        assert_eq!(key("agents", "defaults"), "agents.defaults");
        assert_eq!(key("models", "a.b"), "models[\"a.b\"]");
        assert_eq!(key("", ""), "[\"\"]");
        assert_eq!(item("a.b", 3), "a.b[3]");
    }
}
