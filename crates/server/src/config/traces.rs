//! `[traces]`: where spans are sent.

use serde::Deserialize;

use super::env::Env;
use super::error::ConfigError;

/// The base address of a collector, by OpenTelemetry's own name.
pub const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// The whole address for traces, by OpenTelemetry's own name.
pub const WHOLE: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
/// What the platform is called there.
const SERVICE: &str = "OTEL_SERVICE_NAME";
const KEY: &str = "traces.endpoint";
/// Where a collector takes traces, beneath its base address.
const PATH: &str = "/v1/traces";

/// Where spans are sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traces {
    /// The whole address; none to send nothing.
    pub endpoint: Option<String>,
    /// What the platform is called there; none for its usual name.
    pub service: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    endpoint: Option<String>,
}

pub(crate) fn settle(file: &Written, env: &Env) -> Result<Traces, ConfigError> {
    let base = |text: &str| format!("{}{PATH}", text.trim_end_matches('/'));
    let endpoint = match (env.get(WHOLE), env.get(BASE), file.endpoint.as_deref()) {
        (Some(whole), _, _) => Some(checked(WHOLE, whole, whole.to_owned())?),
        (None, Some(text), _) => Some(checked(BASE, text, base(text))?),
        (None, None, Some(text)) => Some(checked(KEY, text, base(text))?),
        (None, None, None) => None,
    };
    Ok(Traces { endpoint, service: env.get(SERVICE).map(str::to_owned) })
}

fn checked(key: &str, text: &str, whole: String) -> Result<String, ConfigError> {
    let uri: Option<::http::Uri> = text.parse().ok();
    let authority = uri.as_ref().and_then(|uri| {
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        uri.authority().filter(|_| known && uri.query().is_none())
    });
    match authority {
        // It would be shown and logged with the address.
        Some(authority) if authority.as_str().contains('@') => Err(ConfigError::value(
            key,
            "a user and a password do not belong into the address",
            "give the collector's token as OTEL_EXPORTER_OTLP_HEADERS",
        )),
        Some(_) => Ok(whole),
        None => Err(ConfigError::value(
            key,
            "it is not the address of a collector",
            "write it like `http://127.0.0.1:4318`; it is spoken to by OTLP over HTTP",
        )),
    }
}
