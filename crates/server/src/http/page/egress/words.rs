//! Hosts, rules and reasons, in the words of a page.

use smartbox_core::egress::{Refusal, Rule, Source, WEB_PORTS};

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
        assert_eq!(place("a.test", 443), "a.test");
        assert_eq!(place("2606::1", 22), "[2606::1]:22");
        assert_eq!(rule(&Rule::parse("*.a.test:22,80").unwrap()), "*.a.test:22,80");
    }
}
