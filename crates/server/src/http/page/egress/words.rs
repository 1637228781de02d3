//! Times, bytes and reasons, in the words of a page.

use std::time::Duration;

use smartbox_core::egress::{Refusal, Rule, Source, WEB_PORTS};
use smartbox_core::time::Timestamp;

/// `just now`, `5 minutes ago`.
pub(super) fn ago(now: Timestamp, then: Timestamp) -> String {
    match now.since(then) {
        short if short < Duration::from_secs(60) => "just now".into(),
        long => format!("{} ago", span(long)),
    }
}

/// `in 40 minutes`.
pub(super) fn ends(now: Timestamp, until: Timestamp) -> String {
    match until.since(now) {
        short if short < Duration::from_secs(60) => "within a minute".into(),
        long => format!("in {}", span(long)),
    }
}

fn span(of: Duration) -> String {
    let seconds = of.as_secs();
    let (n, unit) = match seconds {
        ..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {unit}{s}")
}

/// `once`, `3 times`.
pub(super) fn times(n: u64) -> String {
    match n {
        1 => "once".into(),
        2 => "twice".into(),
        _ => format!("{n} times"),
    }
}

/// `17 MiB`.
pub(super) fn bytes(n: u64) -> String {
    let unit = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = unit.into_iter().find(|(bits, _)| n >> bits > 0);
    unit.map_or_else(|| format!("{n} B"), |(bits, unit)| format!("{} {unit}", n >> bits))
}

/// `example.com`, `example.com:8443`.
pub(super) fn place(host: &str, port: u16) -> String {
    match port {
        0 | 443 => host.to_owned(),
        _ if host.contains(':') && !host.starts_with('[') => format!("[{host}]:{port}"),
        _ => format!("{host}:{port}"),
    }
}

/// A rule's hosts and what may be asked of them.
pub(super) fn rule(rule: &Rule) -> String {
    let mut words = vec![rule.host.to_string()];
    if rule.ports() != WEB_PORTS {
        let ports: Vec<String> = rule.ports().iter().map(u16::to_string).collect();
        words = vec![format!("{}:{}", rule.host, ports.join(","))];
    }
    words.extend(rule.methods.iter().cloned());
    words.extend(rule.paths.iter().map(ToString::to_string));
    words.join(" ")
}

/// Who says so.
pub(super) fn source(source: Source) -> &'static str {
    match source {
        Source::Platform => "the installation",
        Source::Kind => "its kind",
        Source::Account => "you, for all your smartboxes",
        Source::Smartbox => "you",
    }
}

/// Why it was refused, for whoever has never read of it.
pub(super) fn why(why: Refusal) -> &'static str {
    match why {
        Refusal::NotListed => "no rule allows it",
        Refusal::Port => "allowed at other ports only",
        Refusal::Request => "allowed, but not this method or path",
        Refusal::Denied => "a rule refuses it",
        Refusal::Host => "no host on the internet",
        Refusal::Private => "not on the public internet; only the operator opens that",
        Refusal::Unresolved => "the name has no address",
        Refusal::Unreachable => "it did not answer",
        Refusal::Mismatch => "the request named another host",
        Refusal::Secret => "a secret does not belong there",
        Refusal::Untrusted => "the program does not trust the smartbox's authority",
        Refusal::Limit => "too many connections at once",
        Refusal::Rate => "too many connections in a minute",
        Refusal::Volume => "the bytes of the day were used up",
        Refusal::Malformed => "it was no request that is understood",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_for_people() {
        let now = Timestamp(1_000_000_000);
        let before = |seconds: i64| ago(now, Timestamp(now.0 - seconds * 1_000));
        assert_eq!(before(59), "just now");
        assert_eq!(before(-5), "just now");
        assert_eq!(before(119), "1 minute ago");
        assert_eq!(before(3_600 * 5), "5 hours ago");
        assert_eq!(before(86_400 * 3), "3 days ago");
        assert_eq!(ends(now, Timestamp(now.0 + 3_599_000)), "in 59 minutes");
        assert_eq!((bytes(1_023), bytes(5 << 30)), ("1023 B".into(), "5 GiB".into()));
        assert_eq!((times(1), times(7)), ("once".into(), "7 times".into()));
        assert_eq!(place("a.test", 443), "a.test");
        assert_eq!(place("2606::1", 22), "[2606::1]:22");
        assert_eq!(rule(&Rule::parse("*.a.test:22,80").unwrap()), "*.a.test:22,80");
    }
}
