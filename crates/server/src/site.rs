//! Where the platform is seen from outside: its own address, and every box's.

use std::net::IpAddr;

use crate::config::http::PublicUrl;

/// The addresses of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    scheme: String,
    /// The platform's own host in the links that it gives.
    host: String,
    /// Boxes are one label below it.
    base: String,
    port: u16,
    /// The operator said where it is seen.
    said: bool,
}

impl Site {
    /// Without anything in front: the platform on 127.0.0.1, boxes below `localhost`.
    pub fn local(port: u16) -> Self {
        Self {
            scheme: "http".into(),
            host: "127.0.0.1".into(),
            base: "localhost".into(),
            port,
            said: false,
        }
    }

    /// Behind something that serves this address.
    pub fn public(url: &PublicUrl) -> Self {
        let default = if url.scheme == "https" { 443 } else { 80 };
        Self {
            scheme: url.scheme.clone(),
            host: url.host.clone(),
            base: url.host.clone(),
            port: url.port.unwrap_or(default),
            said: true,
        }
    }

    /// The platform's origin, as browsers write it.
    pub fn origin(&self) -> String {
        self.at(&self.host)
    }

    /// A box's origin.
    pub fn box_origin(&self, label: &str) -> String {
        self.at(&format!("{label}.{}", self.base))
    }

    /// Every box's origin, for a content security policy.
    pub fn any_box(&self) -> String {
        self.box_origin("*")
    }

    /// Whether browsers reach it by TLS.
    pub fn secure(&self) -> bool {
        self.scheme == "https"
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The domain below which boxes have their labels.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The port in links.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name of the session cookie. Cookies know no ports, so two platforms on one machine
    /// have two names; over TLS the prefix keeps sibling hosts from setting it.
    pub fn cookie(&self) -> String {
        if self.secure() {
            "__Host-smartbox_platform".into()
        } else {
            format!("smartbox_platform_{}", self.port)
        }
    }

    /// Whether a request for this host (port included or not) is for the platform itself. An address
    /// in digits cannot be rebound to by another site's name, a name can: only our own will do.
    pub fn is_platform(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else { return false };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let digits = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name == self.host || digits.parse::<IpAddr>().is_ok()
    }

    /// Whether one may sign in under this host name: a cookie that is sent unencrypted over a network
    /// is everybody's. An operator who says `http://…` for an address has decided that his network is
    /// none that others listen to.
    pub fn signs_in(&self, host: &str) -> bool {
        if self.said {
            return true;
        }
        let name = without_port(host).unwrap_or_default();
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let digits = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || digits.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    fn at(&self, host: &str) -> String {
        let default = if self.secure() { 443 } else { 80 };
        if self.port == default {
            format!("{}://{host}", self.scheme)
        } else {
            format!("{}://{host}:{}", self.scheme, self.port)
        }
    }
}

fn without_port(host: &str) -> Option<&str> {
    let (name, port) = match host.rfind(']') {
        Some(end) => host.split_at(end + 1),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    digits.bytes().all(|b| b.is_ascii_digit()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_and_bare_addresses_are_the_platform() {
        let site = Site::local(7777);
        for host in ["127.0.0.1:7777", "localhost", "LOCALHOST.:80", "[::1]:7777", "10.0.0.5"] {
            assert!(site.is_platform(host), "{host}");
        }
        let bad = [
            "evil.example",
            "127.0.0.1.evil.example",
            "pa.localhost",
            "",
            "localhost:80@evil",
            "localhost:7777:1",
            "[::1",
            "127.0.0.1:x",
        ];
        for host in bad {
            assert!(!site.is_platform(host), "{host}");
        }
    }

    #[test]
    fn a_sign_in_over_a_network_is_encrypted_or_somebodys_decision() {
        let site = Site::local(7777);
        for host in ["127.0.0.1:7777", "localhost:7777", "[::1]:1", "LOCALHOST."] {
            assert!(site.signs_in(host), "{host}");
        }
        for host in ["10.0.0.5:7777", "[2001:db8::1]:7777", "", "127.0.0.1.evil.example"] {
            assert!(!site.signs_in(host), "{host}");
        }
        let url = PublicUrl { scheme: "http".into(), host: "sb.lan".into(), port: None };
        assert!(Site::public(&url).signs_in("sb.lan"));
    }

    #[test]
    fn links_leave_out_the_default_port() {
        let url = PublicUrl { scheme: "https".into(), host: "sb.example".into(), port: None };
        let site = Site::public(&url);
        assert_eq!(site.origin(), "https://sb.example");
        assert_eq!(site.box_origin("pa"), "https://pa.sb.example");
        assert!(site.is_platform("sb.example") && !site.is_platform("pa.sb.example"));
        assert_eq!(Site::local(1).box_origin("pa"), "http://pa.localhost:1");
    }
}
