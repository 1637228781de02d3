//! `[devices]`: what lets a browser in.

use serde::Deserialize;

use super::error::ConfigError;

/// What lets a browser in that nobody has seen before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Browsers {
    /// Whoever signs in with it.
    #[default]
    SignIn,
    /// Somebody who may manage the account, after somebody has signed in with it.
    Ask,
}

impl Browsers {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "sign-in" => Some(Self::SignIn),
            "ask" => Some(Self::Ask),
            _ => None,
        }
    }
}

/// What lets devices in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Devices {
    /// Browsers.
    pub browsers: Browsers,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    browsers: Option<String>,
}

pub(crate) fn settle(file: &Written, base: &Written) -> Result<Devices, ConfigError> {
    let browsers = match file.browsers.as_deref().or(base.browsers.as_deref()) {
        None => Browsers::default(),
        Some(text) => Browsers::parse(text).ok_or_else(|| {
            let hint = "write `sign-in`: whoever signs in with a browser lets it in, or `ask`: \
                        somebody who may manage the account has to";
            ConfigError::value("devices.browsers", format!("`{text}` is neither"), hint)
        })?,
    };
    Ok(Devices { browsers })
}
