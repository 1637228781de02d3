//! Labels: `key=value` pairs that owners sort their things by. Shaped as Kubernetes shapes them, so
//! that a driver there can carry them over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// How many labels a thing has at most.
pub const MOST: usize = 32;

/// Checked labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Labels(BTreeMap<String, String>);

/// Why a label is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLabel {
    /// The key cannot be one.
    #[error(
        "`{0}` is not a label's key; use 1 to 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit, perhaps after a domain and `/`"
    )]
    Key(String),
    /// The value cannot be one.
    #[error(
        "`{0}` is not a label's value; use at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit"
    )]
    Value(String),
    /// No `=`.
    #[error("`{0}` is not a label; write it like `team=support`")]
    Pair(String),
    /// More than [`MOST`].
    #[error("a thing has at most {MOST} labels")]
    TooMany,
}

impl Labels {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Keys and values, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These labels with a change: a value sets its key, none removes it.
    pub fn changed(
        &self,
        change: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Result<Self, BadLabel> {
        let mut labels = self.0.clone();
        for (key, value) in change {
            match value {
                Some(value) => labels.insert(key, value),
                None => labels.remove(&key),
            };
        }
        Self::try_from(labels)
    }

    /// Whether every label of `wanted` is here with the same value.
    pub fn match_all(&self, wanted: &Self) -> bool {
        wanted.iter().all(|(key, value)| self.get(key) == Some(value))
    }
}

impl utoipa::PartialSchema for Labels {
    fn schema() -> RefOr<Schema> {
        let value = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(63))
            .pattern(Some("^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Labels by their key; at most 32."))
            .max_properties(Some(MOST))
            .additional_properties(Some(value))
            .into()
    }
}

impl utoipa::ToSchema for Labels {}

impl TryFrom<BTreeMap<String, String>> for Labels {
    type Error = BadLabel;

    fn try_from(labels: BTreeMap<String, String>) -> Result<Self, BadLabel> {
        if labels.len() > MOST {
            return Err(BadLabel::TooMany);
        }
        for (key, value) in &labels {
            if !key_is_good(key) {
                return Err(BadLabel::Key(cut(key)));
            }
            if !value.is_empty() && !word_is_good(value) {
                return Err(BadLabel::Value(cut(value)));
            }
        }
        Ok(Self(labels))
    }
}

impl From<Labels> for BTreeMap<String, String> {
    fn from(labels: Labels) -> Self {
        labels.0
    }
}

/// Reads `key=value`.
pub fn parse_pair(text: &str) -> Result<(String, String), BadLabel> {
    let (key, value) = text.split_once('=').ok_or_else(|| BadLabel::Pair(cut(text)))?;
    let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
    Labels::try_from(BTreeMap::from([(key.clone(), value.clone())]))?;
    Ok((key, value))
}

fn key_is_good(key: &str) -> bool {
    match key.split_once('/') {
        None => word_is_good(key),
        Some((domain, name)) => {
            word_is_good(name)
                && domain.len() <= 253
                && domain.split('.').all(|part| word_is_good(part) && !part.contains('_'))
        }
    }
}

fn word_is_good(word: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    word.len() <= 63
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && ends(word.chars().next())
        && ends(word.chars().next_back())
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Labels, BadLabel> {
        let owned = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Labels::try_from(owned.collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn labels_have_the_shape_of_kubernetes() {
        for (key, value) in
            [("team", "support"), ("a", ""), ("example.com/team", "A_b.1"), ("x.y_z-1", "1")]
        {
            assert!(of(&[(key, value)]).is_ok(), "{key}={value}");
        }
        let long = "a".repeat(64);
        for (key, value) in [
            ("", "a"),
            ("-a", "a"),
            ("a-", "a"),
            ("a b", "a"),
            ("/a", "a"),
            ("a/", "a"),
            ("a/b/c", "d"),
            ("a_b/c", "d"),
            ("ä", "a"),
            ("a", "-"),
            ("a", "x\ny"),
            ("a", "ü"),
            (long.as_str(), "a"),
            ("a", long.as_str()),
        ] {
            assert!(of(&[(key, value)]).is_err(), "{key}={value}");
        }
    }

    #[test]
    fn there_are_not_too_many_however_they_come() {
        let many = |n: usize| (0..n).map(|i| (format!("k{i}"), Some("v".to_owned())));
        let full = Labels::default().changed(many(MOST)).unwrap();
        assert_eq!(full.changed([("more".into(), Some("v".into()))]), Err(BadLabel::TooMany));
        let swapped = full.changed([("k0".into(), None), ("more".into(), Some("v".into()))]);
        assert_eq!(swapped.unwrap().get("more"), Some("v"));
    }

    #[test]
    fn every_wanted_label_must_be_there() {
        let (have, none) = (of(&[("a", "1"), ("b", "2")]).unwrap(), Labels::default());
        assert!(have.match_all(&none) && have.match_all(&of(&[("b", "2")]).unwrap()));
        assert!(!have.match_all(&of(&[("b", "1")]).unwrap()) && !none.match_all(&have));
        assert_eq!(parse_pair("a=b=c").unwrap_err(), BadLabel::Value("b=c".into()));
        assert_eq!(parse_pair(" a = b "), Ok(("a".into(), "b".into())));
        assert!(parse_pair("a").is_err());
    }
}
