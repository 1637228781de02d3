//! `[sleep]`: when idle boxes sleep.

use std::time::Duration;

use serde::Deserialize;
use smartbox_core::smartbox::Desired;
use smartbox_core::smartbox::plan::SleepPolicy;
use smartbox_core::time::parse_duration;

use super::env::Env;
use super::error::ConfigError;

/// Says it in the environment, as the original project did.
pub const SLEEP_AFTER: &str = "SANDBOX_SLEEP_AFTER";

/// When boxes sleep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sleep {
    /// Idle for so long: frozen; none: never, boxes are always on.
    pub after: Option<Duration>,
    /// Idle for so long: stopped.
    pub stop_after: Duration,
    /// Page frozen boxes out, where the machine can.
    pub page_out: bool,
    /// As it was written, for people.
    pub words: String,
    /// Whether someone wrote it down, in the file or the environment.
    pub written: bool,
}

impl Sleep {
    /// What new boxes are wished to be.
    pub fn desired(&self) -> Desired {
        if self.after.is_some() { Desired::Auto } else { Desired::On }
    }

    /// The rule for boxes that are `auto`.
    pub fn policy(&self) -> SleepPolicy {
        // A box that is `auto` where the default is `never` sleeps after ten minutes.
        let freeze_after = self.after.unwrap_or(Duration::from_mins(10));
        SleepPolicy { freeze_after, stop_after: self.stop_after.max(freeze_after) }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    after: Option<String>,
    stop_after: Option<String>,
    page_out: Option<bool>,
}

pub(crate) fn settle(file: &Written, base: &Written, env: &Env) -> Result<Sleep, ConfigError> {
    let (key, after) = match env.get(SLEEP_AFTER) {
        Some(text) => (SLEEP_AFTER, text.to_owned()),
        None => {
            let text = file.after.as_deref().or(base.after.as_deref()).unwrap_or("never");
            ("sleep.after", text.trim().to_owned())
        }
    };
    let hint = "write `never`, or a time like `10m` or `1h`";
    let read = |key: &str, text: &str| {
        parse_duration(text).map_err(|e| ConfigError::value(key, e.to_string(), hint))
    };
    let stop = file.stop_after.as_deref().or(base.stop_after.as_deref()).unwrap_or("7d");
    Ok(Sleep {
        after: if after == "never" { None } else { Some(read(key, &after)?) },
        stop_after: read("sleep.stop_after", stop)?,
        page_out: file.page_out.or(base.page_out).unwrap_or(true),
        words: after,
        written: env.get(SLEEP_AFTER).is_some() || file.after.is_some(),
    })
}
