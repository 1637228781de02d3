//! Hosts as a request names them, in one normal form. Whoever spells a host in an odd way is refused
//! rather than understood: two readers that understand it differently are how walls are passed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// A host's name: lower case, ASCII (RFC 5890 A-labels for others), without a trailing dot, of two
/// labels at least, and nothing that any resolver would take for an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

/// A host: a name or an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// To be resolved.
    Name(HostName),
    /// As it is. IPv4 in IPv6 clothes is IPv4.
    Ip(IpAddr),
}

/// This is no host. Its text is cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{host}` is no host: {why}")]
pub struct BadHost {
    /// What was given.
    pub host: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl HostName {
    /// Reads a name, in either case, with or without one trailing dot.
    pub fn parse(text: &str) -> Result<Self, BadHost> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        match flaw(&name) {
            Some(why) => Err(bad(text, why)),
            None => Ok(Self(name)),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn bad(text: &str, why: &'static str) -> BadHost {
    // What stands here is shown to people; the text of a hostile box must not drive a terminal.
    let host = text.chars().take(80).map(|c| if c.is_ascii_graphic() { c } else { '?' });
    BadHost { host: host.collect(), why }
}

fn flaw(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.len() > 253 {
        return Some("a name has 1 to 253 characters");
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
        return Some("a name is of letters, digits, hyphens and dots (others in their xn-- form)");
    }
    for label in name.split('.') {
        if label.is_empty() || label.len() > 63 {
            return Some("the parts between dots have 1 to 63 characters");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Some("no part begins or ends with a hyphen");
        }
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    // The WHATWG URL standard's "ends in a number": such a host is an IPv4 address to some readers
    // (octal, hexadecimal, shortened) and a name to others.
    if last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") {
        return Some("addresses are written in full, like 192.0.2.1");
    }
    if !name.contains('.') {
        return Some("a public name has a dot");
    }
    None
}

impl Host {
    /// Reads a host as it stands in a URL or in `CONNECT`: a name, a dotted quad, or an IPv6 address
    /// in brackets.
    pub fn parse(text: &str) -> Result<Self, BadHost> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or_else(|| bad(text, "a bracket is missing"))?;
            // `Ipv6Addr` reads no zone (`%eth0`), which is right: that is link-local anyway.
            let ip: Ipv6Addr = inner
                .parse()
                .map_err(|_| bad(text, "what stands in brackets is no IPv6 address"))?;
            return Ok(Self::Ip(IpAddr::V6(ip).to_canonical()));
        }
        match text.parse::<Ipv4Addr>() {
            Ok(ip) => Ok(Self::Ip(IpAddr::V4(ip))),
            Err(_) => HostName::parse(text).map(Self::Name),
        }
    }

    /// Reads `host:port`, as in `CONNECT` (RFC 9110, 9.3.6) and `Host`; without a port, `default`.
    pub fn with_port(text: &str, default: Option<u16>) -> Result<(Self, u16), BadHost> {
        let cut = match text.rfind(':') {
            Some(at) if !text[at..].contains(']') => Some(at),
            _ => None,
        };
        let (host, port) = match cut {
            Some(at) => {
                let digits = &text[at + 1..];
                let fine = (1..=5).contains(&digits.len())
                    && digits.bytes().all(|b| b.is_ascii_digit())
                    && !digits.starts_with('0');
                let port = fine.then(|| digits.parse().ok()).flatten();
                (&text[..at], port.ok_or_else(|| bad(text, "a port is a number from 1 to 65535"))?)
            }
            None => (text, default.ok_or_else(|| bad(text, "it needs a port"))?),
        };
        Ok((Self::parse(host)?, port))
    }
}

impl TryFrom<String> for HostName {
    type Error = BadHost;
    fn try_from(text: String) -> Result<Self, BadHost> {
        Self::parse(&text)
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> Self {
        name.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_form() {
        for (text, form) in [
            ("Example.COM", "example.com"),
            ("example.com.", "example.com"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("_dns.example.com", "_dns.example.com"),
            ("192.0.2.1", "192.0.2.1"),
            ("[2001:DB8::0:1]", "[2001:db8::1]"),
            ("[::ffff:127.0.0.1]", "127.0.0.1"),
            ("[::ffff:7f00:1]", "127.0.0.1"),
        ] {
            assert_eq!(Host::parse(text).unwrap().to_string(), form, "{text}");
        }
    }

    #[test]
    fn odd_spellings_are_no_hosts() {
        for text in [
            "",
            ".",
            "..",
            "a..b",
            "example.com..",
            ".example.com",
            "localhost",
            "127.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "127.0.0.1.",
            "127.0.0.01",
            "1.2.3.4.5",
            "a.0x1",
            "a.1",
            "exa mple.com",
            "bücher.example",
            "example.com\0",
            "example.com%00",
            "ex%61mple.com",
            "user@example.com",
            "example.com/",
            "-a.com",
            "a-.com",
            "[::1",
            "::1",
            "[fe80::1%eth0]",
            "[127.0.0.1]",
            "１２７.0.0.1",
            "example。com",
            "a.com:80",
        ] {
            assert!(Host::parse(text).is_err(), "{text}");
        }
        let long = format!("{}.com", "a".repeat(64));
        assert!(Host::parse(&long).is_err());
        assert!(Host::parse(&"a.".repeat(127)).is_ok() && Host::parse(&"a.".repeat(128)).is_err());
    }

    #[test]
    fn a_port_is_read_strictly() {
        let read = |text| Host::with_port(text, None).map(|(host, port)| format!("{host} {port}"));
        assert_eq!(read("example.com:443").unwrap(), "example.com 443");
        assert_eq!(read("[2001:db8::1]:443").unwrap(), "[2001:db8::1] 443");
        for text in [
            "example.com",
            "example.com:",
            "example.com:0",
            "example.com:65536",
            "example.com:+443",
            "example.com:443:443",
            "example.com:0443",
            "example.com: 443",
            "[::1]",
            "::1:443",
            "example.com:４４３",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(Host::with_port("[::1]", Some(80)).unwrap().1, 80);
    }
}
