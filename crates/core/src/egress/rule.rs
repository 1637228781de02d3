//! One rule: which hosts at which ports, and what may be asked of them.

use serde::{Deserialize, Serialize};

use super::{Host, PathPattern, Pattern};
use crate::time::Timestamp;

/// The ports of a rule that names none: TLS, so that nobody on the way reads or changes what passes.
pub const WEB_PORTS: &[u16] = &[443];
/// Methods that a rule may name (RFC 9110, 9; RFC 5789; WebDAV's are for who needs them).
const LONGEST_METHOD: usize = 20;
/// Entries of each list in a rule.
const MOST: usize = 50;

/// What is meant by a rule. A rule with methods or paths needs the request to be seen: TLS to its
/// hosts is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The hosts.
    pub host: Pattern,
    /// The ports; none named means 443.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// The methods, in upper case; none named means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// The paths; none named means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathPattern>,
}

/// A rule that allows, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Tells it from others; empty for rules of data files.
    pub id: String,
    /// What it allows.
    pub rule: Rule,
    /// When it ends, if it does.
    pub until: Option<Timestamp>,
    /// For one connection only.
    pub once: bool,
    /// The preset that it is of, if one.
    pub preset: Option<String>,
}

impl Entry {
    /// A rule for good, of no preset.
    pub fn new(rule: Rule) -> Self {
        Self { id: String::new(), rule, until: None, once: false, preset: None }
    }

    /// Whether it still holds.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// Whether a text is the name of a list of rules (a *preset*) rather than a host: hosts have a dot, or
/// are `*`.
pub fn is_preset(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A rule that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// Its hosts.
    #[error(transparent)]
    Host(#[from] super::BadPattern),
    /// Its ports.
    #[error("`{0}` is no list of ports from 1 to 65535, like 443 or 443,8443")]
    Ports(String),
    /// Its methods.
    #[error("`{0}` is no HTTP method, like GET")]
    Method(String),
    /// Too many of something.
    #[error("a rule has at most {MOST} ports, methods and paths each")]
    Long,
}

impl Rule {
    /// All of these hosts, over TLS.
    pub fn of(host: Pattern) -> Self {
        Self { host, ports: Vec::new(), methods: Vec::new(), paths: Vec::new() }
    }

    /// Reads the short form: `example.com`, `*.example.com:443,8443`, `[2606::1]:443`.
    pub fn parse(text: &str) -> Result<Self, BadRule> {
        let cut = text.rfind(':').filter(|at| !text[*at..].contains(']'));
        let Some(at) = cut else { return Ok(Self::of(Pattern::parse(text)?)) };
        let list = &text[at + 1..];
        let ports: Result<Vec<u16>, _> = list.split(',').map(str::parse).collect();
        let wrong = || BadRule::Ports(list.chars().take(80).filter(|c| !c.is_control()).collect());
        let rule =
            Self { ports: ports.map_err(|_| wrong())?, ..Self::of(Pattern::parse(&text[..at])?) };
        rule.check()?;
        Ok(rule)
    }

    /// Checks what a type cannot.
    pub fn check(&self) -> Result<(), BadRule> {
        if [self.ports.len(), self.methods.len(), self.paths.len()].iter().any(|n| *n > MOST) {
            return Err(BadRule::Long);
        }
        if self.ports.contains(&0) {
            return Err(BadRule::Ports("0".into()));
        }
        let token = |method: &&String| {
            method.is_empty()
                || method.len() > LONGEST_METHOD
                || !method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-')
        };
        match self.methods.iter().find(token) {
            Some(bad) => {
                Err(BadRule::Method(bad.chars().take(40).filter(|c| !c.is_control()).collect()))
            }
            None => Ok(()),
        }
    }

    /// Whether it means this host and port.
    pub fn means(&self, host: &Host, port: u16) -> bool {
        self.ports().contains(&port) && self.host.matches(host)
    }

    /// Its ports.
    pub fn ports(&self) -> &[u16] {
        if self.ports.is_empty() { WEB_PORTS } else { &self.ports }
    }

    /// Whether it says what may be asked, so that the request must be seen.
    pub fn looks_inside(&self) -> bool {
        !self.methods.is_empty() || !self.paths.is_empty()
    }

    /// Whether it means this request, of a host and port that it means.
    pub fn means_request(&self, method: &str, path: &str) -> bool {
        (self.methods.is_empty() || self.methods.iter().any(|one| one == method))
            && (self.paths.is_empty() || self.paths.iter().any(|one| one.matches(path)))
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.host.fmt(f)?;
        if !self.ports.is_empty() {
            let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
            write!(f, ":{}", ports.join(","))?;
        }
        if !self.methods.is_empty() {
            write!(f, " {}", self.methods.join(","))?;
        }
        for path in &self.paths {
            write!(f, " {path}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_a_short_form() {
        for text in ["example.com", "*.example.com:443,8443", "*", "[2606::1]:443", "8.8.8.8:53"] {
            assert_eq!(Rule::parse(text).unwrap().to_string(), text);
        }
        for bad in
            ["", "example.com:", "example.com:0", "example.com:https", "a.b:1,,2", "http://a.b"]
        {
            assert!(Rule::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Rule::parse("example.com").unwrap().ports(), [443]);
    }

    #[test]
    fn a_record_is_checked() {
        let read = |text: &str| {
            serde_json::from_str::<Rule>(text).map_err(|e| e.to_string()).and_then(|rule| {
                rule.check().map_err(|e| e.to_string())?;
                Ok(rule)
            })
        };
        let rule = read(r#"{"host":"a.b","methods":["GET"],"paths":["/x/**"]}"#).unwrap();
        assert!(rule.looks_inside() && rule.means_request("GET", "/x/y"));
        assert!(!rule.means_request("POST", "/x/y") && !rule.means_request("GET", "/y"));
        for bad in [
            r#"{"host":"a.b","methods":["get"]}"#,
            r#"{"host":"a.b","methods":["G T"]}"#,
            r#"{"host":"a.b","ports":[0]}"#,
            r#"{"host":"a.b","path":["/"]}"#,
            r#"{"host":"b"}"#,
            r#"{"host":"a.b","paths":["x"]}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
