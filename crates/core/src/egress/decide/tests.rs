//! The decision beside a reference that is slow and plain, and the cases that people think of.

use proptest::prelude::*;

use super::*;
use crate::egress::{Layer, PathPattern, Pattern};

const NOW: Timestamp = Timestamp(1_000);

fn rule(text: &str) -> Rule {
    Rule::parse(text).unwrap()
}

fn policy(allow: &[&str], deny: &[&str]) -> Policy {
    let allow = allow.iter().map(|text| Entry::new(rule(text))).collect();
    let deny = deny.iter().map(|text| rule(text)).collect();
    Policy { layers: vec![Layer { source: Source::Smartbox, allow, deny }] }
}

fn ask(policy: &Policy, to: &str) -> Decision {
    let (host, port) = Host::with_port(to, Some(443)).unwrap();
    decide(policy, &host, port, NOW)
}

#[test]
fn nothing_is_allowed_by_nobody() {
    assert_eq!(ask(&Policy::default(), "example.com"), Err(Refusal::NotListed));
}

#[test]
fn a_host_is_allowed_at_its_ports() {
    let policy = policy(&["example.com", "*.b.c:80,8080"], &[]);
    assert!(ask(&policy, "example.com").is_ok());
    assert_eq!(ask(&policy, "example.com:80"), Err(Refusal::Port));
    assert_eq!(ask(&policy, "www.example.com"), Err(Refusal::NotListed));
    assert!(ask(&policy, "a.b.c:8080").is_ok());
}

#[test]
fn refusing_wins_whoever_allows() {
    let mut policy = policy(&["*"], &["evil.com", "*.evil.com"]);
    policy.layers.insert(
        0,
        Layer { source: Source::Kind, allow: vec![Entry::new(rule("evil.com"))], deny: vec![] },
    );
    assert_eq!(ask(&policy, "evil.com"), Err(Refusal::Denied));
    assert_eq!(ask(&policy, "x.evil.com"), Err(Refusal::Denied));
    assert!(ask(&policy, "good.com").is_ok());
}

#[test]
fn a_name_is_known_where_some_port_is_allowed() {
    let policy =
        policy(&["a.example:22", "*.b.example", "c.example"], &["c.example", "x.b.example"]);
    let ask = |name: &str| decide_name(&policy, &HostName::parse(name).unwrap(), NOW);
    assert_eq!((ask("a.example"), ask("A.b.example")), (Ok(()), Ok(())));
    for (name, why) in [
        ("b.example", Refusal::NotListed),
        ("x.a.example", Refusal::NotListed),
        ("c.example", Refusal::Denied),
        ("x.b.example", Refusal::Denied),
    ] {
        assert_eq!(ask(name), Err(why), "{name}");
    }
}

#[test]
fn a_rule_may_end_and_may_be_for_once() {
    let mut policy = policy(&["a.b", "a.b"], &[]);
    let entries = &mut policy.layers[0].allow;
    (entries[0].once, entries[0].id) = (true, "once".into());
    entries[1].id = "always".into();
    assert_eq!(ask(&policy, "a.b").unwrap().entry, "always", "what is for good is used first");
    policy.layers[0].allow[1].until = Some(NOW);
    let found = ask(&policy, "a.b").unwrap();
    assert!(found.once && found.entry == "once");
    policy.layers[0].allow.remove(0);
    assert_eq!(ask(&policy, "a.b"), Err(Refusal::NotListed));
}

#[test]
fn what_is_allowed_in_part_is_looked_into() {
    let mut inside = rule("a.b");
    inside.methods = vec!["GET".into()];
    inside.paths = vec![PathPattern::parse("/x/**").unwrap()];
    let mut policy = policy(&[], &[]);
    policy.layers[0].allow.push(Entry::new(inside));
    assert!(ask(&policy, "a.b").unwrap().look_inside);
    let host = Host::parse("a.b").unwrap();
    let request = |policy: &Policy, method, path| {
        decide_request(policy, &host, 443, Request { method, path }, NOW)
    };
    assert!(request(&policy, "GET", "/x/y").is_ok());
    assert_eq!(request(&policy, "POST", "/x/y"), Err(Refusal::Request));
    assert_eq!(request(&policy, "GET", "/x/%2e%2e/y"), Err(Refusal::Request));
    policy.layers[0].allow.push(Entry::new(rule("a.b")));
    assert!(!ask(&policy, "a.b").unwrap().look_inside, "it is allowed whole");
    assert!(request(&policy, "POST", "/").is_ok());

    let mut no_admin = rule("a.b");
    no_admin.paths = vec![PathPattern::parse("/admin/**").unwrap()];
    policy.layers[0].deny.push(no_admin);
    assert!(ask(&policy, "a.b").unwrap().look_inside, "a part of it is refused");
    assert_eq!(request(&policy, "POST", "/admin/x"), Err(Refusal::Denied));
    assert_eq!(request(&policy, "POST", "/x/../admin/x"), Err(Refusal::Denied));
    assert_eq!(request(&policy, "POST", "/%61dmin/x"), Err(Refusal::Denied));
    assert!(request(&policy, "POST", "/x").is_ok());
}

/// What a policy allows, written down as plainly as can be: by text.
fn reference(policy: &Policy, host: &str, port: u16) -> bool {
    let meant = |rule: &Rule| {
        let pattern = rule.host.to_string();
        let address = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
        let named = match pattern.strip_prefix('*') {
            Some("") => !address,
            Some(below) => !address && host.ends_with(below) && host.len() > below.len(),
            None => pattern == host,
        };
        let ports = if rule.ports.is_empty() { vec![443] } else { rule.ports.clone() };
        named && ports.contains(&port)
    };
    let mut yes = false;
    for layer in &policy.layers {
        if layer.deny.iter().any(|rule| !rule.looks_inside() && meant(rule)) {
            return false;
        }
        for entry in &layer.allow {
            let over = matches!(entry.until, Some(until) if until <= NOW);
            yes |= !over && meant(&entry.rule);
        }
    }
    yes
}

fn hosts() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "([ab]\\.){0,2}[ab]\\.(com|b)",
        1 => Just("8.8.8.8".to_owned()),
        1 => Just("[2606::1]".to_owned()),
        2 => "[ -~]{0,12}",
        1 => "\\PC{0,12}",
    ]
}

fn patterns() -> impl Strategy<Value = String> {
    prop_oneof![3 => hosts(), 3 => hosts().prop_map(|host| format!("*.{host}")), 1 => Just("*".into())]
}

fn rules() -> impl Strategy<Value = Option<Rule>> {
    (patterns(), prop::collection::vec(1_u16..4, 0..3), prop::bool::weighted(0.2)).prop_map(
        |(text, ports, inside)| {
            let mut rule = Rule::of(Pattern::parse(&text).ok()?);
            rule.ports = ports;
            rule.methods = if inside { vec!["GET".into()] } else { vec![] };
            Some(rule)
        },
    )
}

fn layers() -> impl Strategy<Value = Layer> {
    let entry = (rules(), prop::option::of(900_i64..1_100), any::<bool>()).prop_map(
        |(rule, until, once)| {
            Some(Entry { until: until.map(Timestamp), once, ..Entry::new(rule?) })
        },
    );
    (prop::collection::vec(entry, 0..4), prop::collection::vec(rules(), 0..3)).prop_map(
        |(allow, deny)| Layer {
            source: Source::Account,
            allow: allow.into_iter().flatten().collect(),
            deny: deny.into_iter().flatten().collect(),
        },
    )
}

proptest! {
    /// The number of cases is `PROPTEST_CASES`: `just fuzz-egress` has it at a million.
    #[test]
    fn nothing_is_allowed_that_the_reference_denies(
        layers in prop::collection::vec(layers(), 0..4),
        host in hosts(),
        port in prop_oneof![Just(443_u16), 1_u16..4],
    ) {
        let policy = Policy { layers };
        if let Ok(host) = Host::parse(&host) {
            let found = decide(&policy, &host, port, NOW);
            prop_assert_eq!(found.is_ok(), reference(&policy, &host.to_string(), port));
            // A request is allowed only over a connection that is.
            let request = Request { method: "GET", path: "/" };
            let asked = decide_request(&policy, &host, port, request, NOW);
            if asked.is_ok() { prop_assert!(found.is_ok()); }
            // A name has an address where there is a port to connect to, and nowhere else.
            if let Host::Name(name) = &host {
                let any = (1_u16..4).chain([443]).any(|port| decide(&policy, &host, port, NOW).is_ok());
                prop_assert_eq!(decide_name(&policy, name, NOW).is_ok(), any);
            }
        }
    }

    #[test]
    fn no_text_breaks_a_reader(text in "\\PC{0,80}") {
        let _ = (Host::parse(&text), Host::with_port(&text, None), Pattern::parse(&text));
        let _ = (PathPattern::parse(&text), Rule::parse(&text));
        if let Ok(host) = Host::parse(&text) {
            prop_assert_eq!(Host::parse(&host.to_string()).unwrap(), host);
        }
    }
}
