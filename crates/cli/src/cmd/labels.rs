//! Labels on the command line.

use smartbox_api::smartbox::Labels;
use smartbox_core::labels::parse_pair;

use crate::error::CliError;

/// A label to set, or with none to remove.
pub(crate) type Change = (String, Option<String>);

/// Reads `key=value` for clap.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    parse_pair(text).map_err(|e| e.to_string())
}

/// Reads `key=value`, or `key-` to remove it, for clap.
pub(crate) fn change(text: &str) -> Result<Change, String> {
    match text.strip_suffix('-').filter(|key| !key.contains('=')) {
        Some(key) => pair(&format!("{key}=")).map(|(key, _)| (key, None)),
        None => pair(text).map(|(key, value)| (key, Some(value))),
    }
}

/// Labels of these pairs.
pub(crate) fn of(pairs: &[(String, String)]) -> Result<Labels, CliError> {
    let set = pairs.iter().map(|(key, value)| (key.clone(), Some(value.clone())));
    let labels = Labels::default().changed(set);
    labels.map_err(|e| CliError::usage(e.to_string(), "write labels like `team=support`"))
}

/// Labels in one line.
pub(crate) fn words(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_set_or_removed() {
        assert_eq!(change("a=b"), Ok(("a".into(), Some("b".into()))));
        assert_eq!(change("a-"), Ok(("a".into(), None)));
        for bad in ["a", "-", "a=b-", "a b=c", ""] {
            assert!(change(bad).is_err(), "{bad}");
        }
    }
}
