//! `[engine]`: what runs inside new boxes.

use std::path::PathBuf;

use serde::Deserialize;

use super::error::ConfigError;

/// What runs inside new boxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineChoice {
    /// The name of its manifest.
    pub name: String,
    /// Where its program is, for engines that are not installed by the platform.
    pub path: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    name: Option<String>,
    path: Option<PathBuf>,
}

pub(crate) fn settle(file: Written, base: Written) -> Result<EngineChoice, ConfigError> {
    let path = file.path.or(base.path);
    if path.as_ref().is_some_and(|path| !path.is_absolute()) {
        return Err(ConfigError::value(
            "engine.path",
            "the path is relative, and to what is not clear",
            "write the whole path, beginning with /",
        ));
    }
    Ok(EngineChoice { name: file.name.or(base.name).unwrap_or_default(), path })
}
