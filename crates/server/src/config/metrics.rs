//! `[metrics]`: where Prometheus may ask without a token.

use std::net::SocketAddr;

use serde::Deserialize;

use super::error::ConfigError;
use super::http;

const KEY: &str = "metrics.listen";

/// Where Prometheus may ask besides the platform's own address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    /// A loopback address that answers without a token.
    pub listen: Option<SocketAddr>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    listen: Option<String>,
}

pub(crate) fn settle(file: &Written) -> Result<Metrics, ConfigError> {
    let listen = file.listen.as_deref().map(|text| http::listen(KEY, text)).transpose()?;
    if let Some(address) = listen.filter(|address| !address.ip().is_loopback()) {
        let why =
            format!("nobody is asked for a token there, and {address} can be reached by others");
        let hint = "listen on 127.0.0.1, or leave it out and let Prometheus ask the platform's own \
                    address with the master token";
        return Err(ConfigError::value(KEY, why, hint));
    }
    Ok(Metrics { listen })
}
