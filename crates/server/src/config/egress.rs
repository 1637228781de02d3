//! `[egress]`: what every box may reach, and what of the private networks. And `egress.toml` in the
//! data directory: the operator's own lists of hosts, beside those that ship.

use std::path::Path;

use serde::Deserialize;
use smartbox_control::Presets;
use smartbox_core::egress::address::Opened;
use smartbox_core::egress::{Quota, Rule, is_preset};

use super::error::ConfigError;
use super::size;

/// The file with lists of hosts.
pub const FILE: &str = "egress.toml";

/// What may leave boxes.
#[derive(Debug, Clone)]
pub struct Egress {
    /// What every box may reach: hosts and names of presets.
    pub allow: Vec<String>,
    /// What is not on the public internet and may be reached all the same, where a rule allows it.
    pub private: Vec<Opened>,
    /// Connections of one box at once.
    pub connections: usize,
    /// What one box may in a minute and in a day.
    pub quota: Quota,
    /// Lists of hosts.
    pub presets: Presets,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    allow: Option<Vec<String>>,
    private: Option<Vec<String>>,
    connections: Option<usize>,
    per_minute: Option<u32>,
    out_per_day: Option<String>,
    in_per_day: Option<String>,
}

pub(crate) fn settle(file: Written, base: Written) -> Result<Egress, ConfigError> {
    let allow = file.allow.or(base.allow).unwrap_or_default();
    for text in allow.iter().filter(|text| !is_preset(text)) {
        Rule::parse(text).map_err(|bad| {
            let hint = "write hosts like `api.example.com` or names of presets like `registries`";
            ConfigError::value("egress.allow", bad.to_string(), hint)
        })?;
    }
    let private = file.private.or(base.private).unwrap_or_default();
    let private = private.iter().map(|text| {
        Opened::parse(text).map_err(|bad| {
            ConfigError::value(
                "egress.private",
                bad.to_string(),
                "write a block like 10.1.0.0/16:443",
            )
        })
    });
    let bytes = |key: &str, file: Option<String>, base: Option<String>| {
        let Some(text) = file.or(base) else { return Ok(0) };
        size::parse(&text).ok_or_else(|| {
            let hint = "write it like `2GiB`; `0` is no limit";
            ConfigError::value(key, format!("`{text}` is not a size"), hint)
        })
    };
    let quota = Quota {
        per_minute: file.per_minute.or(base.per_minute).unwrap_or(0),
        up: bytes("egress.out_per_day", file.out_per_day, base.out_per_day)?,
        down: bytes("egress.in_per_day", file.in_per_day, base.in_per_day)?,
    };
    Ok(Egress {
        allow,
        private: private.collect::<Result<_, _>>()?,
        connections: file.connections.or(base.connections).unwrap_or(512).clamp(1, 100_000),
        quota,
        presets: presets("")?,
    })
}

/// The lists that ship and those of this file.
pub(crate) fn presets(text: &str) -> Result<Presets, ConfigError> {
    let wrong = |place: &'static str| {
        move |error: smartbox_control::PresetError| {
            let hint = "correct it; docs/guides/egress.md shows the form";
            ConfigError::value(place, error.to_string(), hint)
        }
    };
    let mut presets = Presets::shipped().map_err(wrong("a preset that ships"))?;
    presets.add(text).map_err(wrong(FILE))?;
    Ok(presets)
}

/// The same, from the data directory.
pub(crate) fn load(data_dir: &Path) -> Result<Presets, ConfigError> {
    let path = data_dir.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => presets(&text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => presets(""),
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}

/// Refuses names of presets that there are not.
pub(crate) fn check(presets: &Presets, place: &str, texts: &[String]) -> Result<(), ConfigError> {
    let Some(name) = presets.unknown(texts) else { return Ok(()) };
    let names: Vec<&str> = presets.iter().map(|preset| preset.name.as_str()).collect();
    let why = format!("there is no preset `{name}`");
    let hint = format!("the presets are: {}; a host has a dot", names.join(", "));
    Err(ConfigError::value(place, why, hint))
}
