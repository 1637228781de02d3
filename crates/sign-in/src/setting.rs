//! Settings that cannot be meant.

use openidconnect::url::Host;
use reqwest::Url;

/// A setting is not of its form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` {why}")]
pub struct BadSetting {
    /// Its name.
    pub setting: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl BadSetting {
    pub(crate) fn new(setting: &'static str, why: impl Into<String>) -> Self {
        Self { setting, why: why.into() }
    }
}

/// As much of a value as a message shows.
pub(crate) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// Whether what is fetched there can be believed: over TLS, or from this machine.
pub(crate) fn is_safe(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return false,
    };
    url.username().is_empty()
        && url.password().is_none()
        && (url.scheme() == "https" || (url.scheme() == "http" && here))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for good in
            ["https://id.example", "http://127.0.0.1:1", "http://localhost/x", "http://[::1]/"]
        {
            assert!(is_safe(&good.parse().unwrap()), "{good}");
        }
        for bad in ["http://id.example", "ftp://localhost", "https://me:pw@id.example", "data:x"] {
            assert!(!is_safe(&bad.parse().unwrap()), "{bad}");
        }
    }
}
