//! `[jobs]`: how many jobs run at a time, and how long they are remembered.

use std::time::Duration;

use serde::Deserialize;
use smartbox_control::jobs::Limits;
use smartbox_core::time::parse_duration;

use super::error::ConfigError;

/// A job is remembered so long at least: whoever asked for it must be able to see its end.
const SHORTEST: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    at_once: Option<usize>,
    per_box: Option<usize>,
    keep: Option<String>,
}

pub(crate) fn settle(file: &Written, base: &Written) -> Result<Limits, ConfigError> {
    let usual = Limits::default();
    let keep = match file.keep.as_deref().or(base.keep.as_deref()) {
        None => usual.keep,
        Some(text) => parse_duration(text).map_err(|error| {
            ConfigError::value("jobs.keep", error.to_string(), "write a time like `24h` or `7d`")
        })?,
    };
    if keep < SHORTEST {
        return Err(ConfigError::value(
            "jobs.keep",
            "a job must be remembered for a minute at least".to_owned(),
            "write a time like `24h` or `7d`",
        ));
    }
    Ok(Limits {
        at_once: file.at_once.or(base.at_once).unwrap_or(usual.at_once).clamp(1, 1000),
        per_box: file.per_box.or(base.per_box).unwrap_or(usual.per_box).clamp(1, 1000),
        keep,
    })
}
