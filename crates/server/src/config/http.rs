//! `[http]`: where people come in.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use serde::Deserialize;

use super::env::Env;
use super::error::ConfigError;
use super::tls;
use crate::tls::Files;

/// Says it in the environment.
pub const LISTEN: &str = "SMARTBOX_LISTEN";

/// Where people come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Where the platform is seen from outside, if that is not where it listens.
    pub url: Option<PublicUrl>,
    /// The operator's own certificate, if it speaks TLS itself.
    pub tls: Option<Files>,
    /// Networks of the proxies before it, whose word about who asks is taken.
    pub trusted_proxies: Vec<IpNet>,
}

/// An address as browsers see it: `scheme://host[:port]`, nothing after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// `http` or `https`.
    pub scheme: String,
    /// The host name; boxes are one label below it.
    pub host: String,
    /// The port, if it is not the scheme's own.
    pub port: Option<u16>,
}

impl std::fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    listen: Option<String>,
    url: Option<String>,
    tls: tls::Written,
    trusted_proxies: Option<Vec<String>>,
}

impl Http {
    /// Whether what passes between the platform and people is encrypted, as far as it can know.
    pub fn encrypted(&self) -> bool {
        let behind = !self.trusted_proxies.is_empty() || self.listen.ip().is_loopback();
        self.tls.is_some() || (behind && self.url.as_ref().is_some_and(|url| url.scheme == "https"))
    }
}

pub(crate) fn settle(
    file: Written,
    base: Written,
    env: &Env,
    over: Option<&str>,
) -> Result<Http, ConfigError> {
    let from_file = file.listen.or(base.listen).unwrap_or_default();
    let (key, text) = match (over, env.get(LISTEN)) {
        (Some(text), _) => ("--listen", text),
        (None, Some(text)) => (LISTEN, text),
        (None, None) => ("http.listen", from_file.as_str()),
    };
    let url = match file.url.or(base.url) {
        Some(text) => Some(public(&text)?),
        None => None,
    };
    let listen = listen(key, text)?;
    let tls = tls::settle(file.tls, url.as_ref())?;
    let networks = file.trusted_proxies.or(base.trusted_proxies).unwrap_or_default();
    let trusted_proxies = networks.iter().map(|text| network(text)).collect::<Result<_, _>>()?;
    Ok(Http { listen, url, tls, trusted_proxies })
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, ConfigError> {
    let key = "http.trusted_proxies";
    let hint = "write networks like `10.0.0.0/8`, or single addresses";
    let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let Some(network) = text.parse().ok().or_else(one) else {
        let why = format!("`{text}` is neither a network nor an address");
        return Err(ConfigError::value(key, why, hint));
    };
    if network.prefix_len() == 0 {
        let why = format!("`{text}` is everybody, and everybody could say who he is");
        return Err(ConfigError::value(key, why, hint));
    }
    Ok(network)
}

/// An address and a port; `localhost` and a bare port are understood.
pub(super) fn listen(key: &str, text: &str) -> Result<SocketAddr, ConfigError> {
    let text = text.replace("localhost", "127.0.0.1");
    let bare = text.parse::<u16>().map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    text.parse().or(bare).map_err(|_| {
        let hint = "write it like `127.0.0.1:7777`; port 0 takes any free one";
        ConfigError::value(key, format!("`{text}` is not an address and port"), hint)
    })
}

fn public(text: &str) -> Result<PublicUrl, ConfigError> {
    let bad = || {
        let why = format!("`{text}` is not the address of a host");
        let hint = "write it like `https://smartbox.example.com`, with nothing after the host";
        ConfigError::value("http.url", why, hint)
    };
    let uri: ::http::Uri = text.trim_end_matches('/').parse().map_err(|_| bad())?;
    let scheme = uri.scheme_str().filter(|s| matches!(*s, "http" | "https")).ok_or_else(bad)?;
    let host = uri.host().ok_or_else(bad)?.to_ascii_lowercase();
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    // Boxes live one label below: an address without names cannot carry them.
    let is_name = plain && host.parse::<IpAddr>().is_err();
    if !is_name || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(bad());
    }
    Ok(PublicUrl { scheme: scheme.to_owned(), host, port: uri.port_u16() })
}
