//! The file as TOML: where an error is, and which key was meant.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::error::ConfigError;
use super::nearest::nearest;

/// Reads `text`; `path` is for messages.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| explain(path, text, &error))
}

pub(crate) fn explain(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
    let why = error.message().trim().to_owned();
    let path = path.to_owned();
    // serde writes: unknown field `a`, expected one of `b`, `c` (or: expected `b`).
    if why.starts_with("unknown field ") {
        let mut words = why.split('`').skip(1).step_by(2).map(str::to_owned);
        let key = words.next().unwrap_or_default();
        let known: Vec<String> = words.collect();
        let nearest = nearest(&key, known.iter().map(String::as_str)).map(str::to_owned);
        return ConfigError::UnknownKey { path, line, key, nearest, known };
    }
    ConfigError::Malformed { path, line, why }
}
