//! Patterns of hosts and paths, as people write them in rules.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Host, HostName};

/// Which hosts: `example.com` (that one), `*.example.com` (all below it, not itself), an address, or
/// `*` (every name; an address is never meant by it).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Pattern {
    /// This host.
    One(Host),
    /// Every name below this one.
    Below(HostName),
    /// Every name.
    Any,
}

/// This is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no host pattern ({why}); write example.com, *.example.com or *")]
pub struct BadPattern {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let read = match text.strip_prefix("*.") {
            Some(rest) => HostName::parse(rest).map(Self::Below),
            None if text == "*" => Ok(Self::Any),
            None => Host::parse(text).map(Self::One),
        };
        read.map_err(|bad| BadPattern { text: bad.host, why: bad.why })
    }

    /// Whether it means this host.
    pub fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::One(one), host) => one == host,
            (Self::Below(name), Host::Name(host)) => {
                host.as_str().strip_suffix(name.as_str()).is_some_and(|above| above.ends_with('.'))
            }
            (Self::Any, Host::Name(_)) => true,
            (Self::Below(_) | Self::Any, Host::Ip(_)) => false,
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = BadPattern;
    fn try_from(text: String) -> Result<Self, BadPattern> {
        Self::parse(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(host) => host.fmt(f),
            Self::Below(name) => write!(f, "*.{name}"),
            Self::Any => f.write_str("*"),
        }
    }
}

/// Which paths: segments, where `*` stands for one and `**`, at the end, for any number. Compared
/// with the path as it is sent; a path that could be read in two ways matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern(String);

impl PathPattern {
    /// Reads a pattern: it begins with a slash.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let why = if !text.starts_with('/') {
            Some("a path begins with a slash")
        } else if text.len() > 1_000 {
            Some("it is longer than 1000 characters")
        } else if text.strip_suffix("/**").unwrap_or(text).contains("**") {
            Some("** stands at the end only")
        } else if !plain(text) {
            Some("a pattern has no empty, dotted or escaped segments")
        } else {
            None
        };
        match why {
            Some(why) => Err(BadPattern {
                text: text.chars().take(80).filter(|c| !c.is_control()).collect(),
                why,
            }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// Whether it means this path, which is without its query.
    pub fn matches(&self, path: &str) -> bool {
        if !path.starts_with('/') || !plain(path) {
            return false;
        }
        let mut asked = path[1..].split('/');
        let mut wanted = self.0[1..].split('/');
        loop {
            match (wanted.next(), asked.next()) {
                (Some("**"), _) | (None, None) => return true,
                (Some("*"), Some(segment)) if !segment.is_empty() => {}
                (Some(wanted), Some(segment)) if wanted == segment => {}
                _ => return false,
            }
        }
    }
}

/// Whether every reader of the path sees the same segments: no dots to climb by, no empty segments
/// but a last one, no backslashes, and no escapes of what separates or climbs.
pub(super) fn plain(path: &str) -> bool {
    if path.bytes().any(|b| !b.is_ascii_graphic() || matches!(b, b'\\' | b'?' | b'#')) {
        return false;
    }
    if !escapes_are_plain(path) {
        return false;
    }
    let mut segments = path[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        // Parameters (`;x`) make some servers see `..;x` as `..`.
        let name = segment.split(';').next().unwrap_or_default();
        if matches!(name, "." | "..") || (segment.is_empty() && !last) {
            return false;
        }
    }
    true
}

/// Whether nothing is escaped that some server would take for the character itself: what needs no
/// escape (RFC 3986, 6.2.2.2), what separates or climbs, and escapes of escapes.
fn escapes_are_plain(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| {
        let byte = rest.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        byte.is_some_and(|b| {
            !(b.is_ascii_alphanumeric() || b.is_ascii_control() || b"-._~/\\%;".contains(&b))
        })
    })
}

impl TryFrom<String> for PathPattern {
    type Error = BadPattern;
    fn try_from(text: String) -> Result<Self, BadPattern> {
        Self::parse(&text)
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(pattern: &str, host: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(&Host::parse(host).unwrap())
    }

    #[test]
    fn a_pattern_means_whole_labels() {
        assert!(means("example.com", "EXAMPLE.com."));
        assert!(!means("example.com", "www.example.com"));
        assert!(means("*.example.com", "a.b.example.com"));
        for host in ["example.com", "notexample.com", "example.com.evil.org"] {
            assert!(!means("*.example.com", host), "{host}");
        }
        assert!(means("*", "a.b") && !means("*", "8.8.8.8") && !means("*", "[2606::1]"));
        assert!(means("8.8.8.8", "[::ffff:8.8.8.8]"));
        for bad in
            ["", "**", "*example.com", "a.*.com", "*.*.com", "*.", "*.com:443", "*.8.8", "com"]
        {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
        for text in ["example.com", "*.example.com", "*", "8.8.8.8", "[2606::1]"] {
            assert_eq!(Pattern::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_path_pattern_means_segments() {
        let means = |pattern: &str, path: &str| PathPattern::parse(pattern).unwrap().matches(path);
        for (pattern, path) in [
            ("/", "/"),
            ("/**", "/"),
            ("/**", "/a/b/"),
            ("/a/**", "/a/"),
            ("/a/**", "/a/b/c"),
            ("/a/*/c", "/a/b/c"),
            ("/a", "/a"),
            ("/a/**", "/a/%C3%A4%20"),
        ] {
            assert!(means(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/a", "/a/"),
            ("/a", "/ab"),
            ("/a/*", "/a/"),
            ("/a/*", "/a/b/c"),
            ("/a/**", "/ab"),
            ("/a/**", "/a/../b"),
            ("/a/**", "/a/..;x/b"),
            ("/a/**", "/a/%2e%2e/b"),
            ("/a/**", "/a/%2E./b"),
            ("/a/**", "/a//b"),
            ("/a/**", "/a/b%2f..%2fc"),
            ("/a/**", "/a\\b"),
            ("/a/**", "/a/%252e%252e"),
            ("/**", "/%61"),
            ("/**", "/%"),
            ("/**", "/%+1"),
            ("/**", "*"),
            ("/**", ""),
        ] {
            assert!(!means(pattern, path), "{pattern} {path}");
        }
        for bad in ["", "a", "/a/**/b", "/**a", "/a//b", "/../a", "/a?b", "/ä"] {
            assert!(PathPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
