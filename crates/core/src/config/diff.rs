//! What differs between two documents.

use serde_json::Value;

use super::path;

/// One place that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where, like `agents.defaults.model`; empty for the whole document.
    pub path: String,
    /// What was there.
    pub before: Option<Value>,
    /// What is there.
    pub after: Option<Value>,
}

/// The places that differ, in the order of their paths. Objects are compared key by key; a list
/// that differs anywhere is one change, as a merge patch would have it.
pub fn diff(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(String::new(), Some(before), Some(after), &mut changes);
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

fn compare(at: String, before: Option<&Value>, after: Option<&Value>, out: &mut Vec<Change>) {
    if before == after {
        return;
    }
    if let (Some(Value::Object(old)), Some(Value::Object(new))) = (before, after) {
        for (key, value) in old {
            compare(path::key(&at, key), Some(value), new.get(key), out);
        }
        for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
            compare(path::key(&at, key), None, Some(value), out);
        }
        return;
    }
    out.push(Change { path: at, before: before.cloned(), after: after.cloned() });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_named() {
        let before = json!({"a": {"b": 1, "c": [1, 2]}, "gone": {"x": 1}, "same": {"y": [1]}});
        let after = json!({"a": {"b": 2, "c": [1, 3]}, "new": null, "same": {"y": [1]}});
        let found = diff(&before, &after);
        let paths: Vec<&str> = found.iter().map(|c| c.path.as_str()).collect();
        assert_eq!(paths, ["a.b", "a.c", "gone", "new"]);
        assert_eq!(found[0].before, Some(json!(1)));
        assert_eq!((found[2].after.clone(), found[3].before.clone()), (None, None));
        assert_eq!(found[3].after, Some(Value::Null));
        assert!(diff(&before, &before).is_empty());
    }

    #[test]
    fn another_kind_of_document_is_one_change() {
        let found = diff(&json!([1]), &json!({}));
        assert_eq!((found.len(), found[0].path.as_str()), (1, ""));
    }
}
