//! `[http.tls]`: the operator's own certificate.

use std::path::PathBuf;

use serde::Deserialize;

use super::error::ConfigError;
use super::http::PublicUrl;
use crate::tls::Files;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    certificate: Option<String>,
    key: Option<String>,
}

/// The files, if there are any. The name that the certificate is for must be said: links, boxes and
/// cookies hang on it.
pub(crate) fn settle(
    written: Written,
    url: Option<&PublicUrl>,
) -> Result<Option<Files>, ConfigError> {
    let (certificate, key) = match (written.certificate, written.key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => return Err(half("http.tls.key", "http.tls.certificate")),
        (None, Some(_)) => return Err(half("http.tls.certificate", "http.tls.key")),
    };
    if url.is_none_or(|url| url.scheme != "https") {
        let why = "there is a certificate, and no address for it";
        let hint = "write the address that it is for, like `https://smartbox.example.com`";
        return Err(ConfigError::value("http.url", why, hint));
    }
    Ok(Some(Files {
        certificate: whole("http.tls.certificate", &certificate)?,
        key: whole("http.tls.key", &key)?,
    }))
}

fn half(missing: &'static str, there: &str) -> ConfigError {
    let why = format!("it is missing, and `{there}` means nothing without it");
    ConfigError::value(missing, why, "name both files")
}

fn whole(key: &'static str, text: &str) -> Result<PathBuf, ConfigError> {
    let path = PathBuf::from(text);
    if path.is_absolute() {
        return Ok(path);
    }
    let why = format!("`{text}` is not a whole path");
    Err(ConfigError::value(key, why, "write a path beginning with /"))
}
