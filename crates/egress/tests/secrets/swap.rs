//! A value goes where it is bound to, and nowhere else, however a request is written.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use smartbox_core::egress::{Binding, Held, Host, Placeholder, Shape};
use smartbox_core::id::Entropy;
use smartbox_core::secret::Secret;
use smartbox_egress::swap::{Plan, Refusal, Spot, Swap, Towards};

use crate::reference;
use crate::texts::form;

const VALUE: &str = "12:Re/al+Va lue";
/// [`VALUE`] in a URL.
const ESCAPED: &str = "12:Re%2Fal%2BVa%20lue";

/// `SplitMix64`.
struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, out: &mut [u8]) {
        for byte in out {
            let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            *byte = (z ^ (z >> 31)) as u8;
        }
    }
}

pub(crate) fn placeholder(seed: u64, shape: &str) -> Placeholder {
    Placeholder::generate(&Seeded(AtomicU64::new(seed)), &Shape::parse(shape).unwrap())
}

fn binding(places: &str) -> Binding {
    let text =
        format!(r#"{{"secret":"KEY","to":{{"host":"api.example.com"}},"places":[{places}]}}"#);
    let binding: Binding = serde_json::from_str(&text).unwrap();
    binding.check().unwrap();
    binding
}

/// Bound in every kind of place.
const PLACES: &str = r#"
    {"in":"header","name":"authorization","form":"Bearer {}"}, {"in":"header","name":"x-api-key"},
    {"in":"header","name":"sec-websocket-protocol","form":"*key.{}*"},
    {"in":"query","name":"key"}, {"in":"path","before":"/bot"}, {"in":"basic-password"}"#;

pub(crate) fn swap(placeholder: &Placeholder, bindings: Vec<Binding>) -> Swap {
    let held = Held { placeholder: placeholder.clone(), secret: "KEY".to_owned() };
    Swap::new(vec![held], bindings)
}

fn head(uri: &str, headers: &[(&str, String)]) -> Option<Parts> {
    let mut request = http::Request::builder().uri(uri);
    for (name, value) in headers {
        request = request.header(*name, value.as_bytes());
    }
    Some(request.body(()).ok()?.into_parts().0)
}

fn plan(swap: &Swap, host: &str, head: &Parts) -> Result<Plan, Refusal> {
    let host = Host::parse(host).unwrap();
    swap.plan(Towards { host: &host, port: 443, tls: true }, head)
}

fn values(value: &str) -> HashMap<String, Secret<String>> {
    HashMap::from([("KEY".to_owned(), Secret::new(value.to_owned()))])
}

/// What goes out: the target and the headers.
fn sent(swap: &Swap, uri: &str, headers: &[(&str, String)]) -> Result<Vec<String>, Refusal> {
    let mut head = head(uri, headers).unwrap();
    let plan = plan(swap, "api.example.com", &head)?;
    plan.fill(&mut head, &values(VALUE))?;
    let mut sent = vec![head.uri.to_string()];
    for value in head.headers.values() {
        sent.push(value.to_str().unwrap().to_owned());
    }
    Ok(sent)
}

#[test]
fn each_bound_place_gets_the_value() {
    for shape in ["plain", "telegram", "github", "hex"] {
        let ph = placeholder(1, shape);
        let swap = swap(&ph, vec![binding(PLACES)]);
        let basic = |text: String| format!("Basic {}", STANDARD.encode(text));
        let escaped = ph.as_str().replace(':', "%3A");
        for (uri, header, out) in [
            ("/".to_owned(), ("authorization", format!("Bearer {ph}")), format!("Bearer {VALUE}")),
            ("/".to_owned(), ("x-api-key", ph.to_string()), VALUE.to_owned()),
            (
                "/".to_owned(),
                ("authorization", basic(format!("x:{ph}"))),
                basic(format!("x:{VALUE}")),
            ),
            (
                "/".to_owned(),
                ("sec-websocket-protocol", format!("a, key.{ph}, b")),
                format!("a, key.{VALUE}, b"),
            ),
            (format!("/bot{ph}/send"), ("x", String::new()), format!("/bot{ESCAPED}/send")),
            (format!("/bot{escaped}"), ("x", String::new()), format!("/bot{ESCAPED}")),
            (format!("/?a=1&key={ph}&b"), ("x", String::new()), format!("/?a=1&key={ESCAPED}&b")),
            (format!("/?k%65y={escaped}"), ("x", String::new()), format!("/?k%65y={ESCAPED}")),
        ] {
            let sent = sent(&swap, &uri, &[header]).unwrap();
            assert!(sent.contains(&out), "{shape} {uri}: {sent:?}");
        }
    }
}

#[test]
fn a_refusal_says_where_it_may_stand() {
    let ph = placeholder(1, "plain");
    let swap = swap(&ph, vec![binding(r#"{"in":"header","name":"x-api-key"}"#)]);
    let other = head("/", &[("x-api-key", ph.to_string())]).unwrap();
    assert_eq!(
        plan(&swap, "evil.example", &other).unwrap_err().to_string(),
        "the placeholder of KEY stands in the header `x-api-key` of a request to evil.example; it \
         may stand in requests to api.example.com in the header `x-api-key`"
    );
    let unbound = Swap::new(vec![Held { placeholder: ph, secret: "KEY".to_owned() }], Vec::new());
    let refusal = plan(&unbound, "evil.example", &other).unwrap_err().to_string();
    assert!(refusal.ends_with("nowhere yet: bind it to a host first"), "{refusal}");
}

#[test]
fn any_other_place_is_refused() {
    let ph = placeholder(1, "plain");
    let swap = swap(&ph, vec![binding(PLACES)]);
    let encoded = STANDARD.encode(ph.as_str());
    let basic = |text: String| format!("Basic {}", STANDARD.encode(text));
    let bearer = || ("authorization", format!("Bearer {ph}"));
    let percent: String = ph.as_str().bytes().map(|b| format!("%{b:02X}")).collect();
    for (uri, header, spot) in [
        (format!("/{ph}"), bearer(), Spot::Path),
        (format!("/bot/{ph}"), bearer(), Spot::Path),
        (format!("/x/bot{ph}/send"), bearer(), Spot::Path),
        (format!("/bot{ph}x"), bearer(), Spot::Path),
        (format!("/bot{encoded}/"), bearer(), Spot::Path),
        (format!("/x{percent}"), bearer(), Spot::Path),
        (format!("/?KEY={ph}"), bearer(), Spot::Query),
        (format!("/?key=x{ph}"), bearer(), Spot::Query),
        (format!("/?{ph}"), bearer(), Spot::Query),
        (format!("/?{ph}=key"), bearer(), Spot::Query),
        (format!("/?key={ph};a=b"), bearer(), Spot::Query),
        (format!("/?key={encoded}"), bearer(), Spot::Query),
        (format!("/?other={percent}"), bearer(), Spot::Query),
        (format!("https://{ph}.example.com/"), bearer(), Spot::Host),
        ("/".into(), ("host", format!("{ph}.example.com")), Spot::Host),
        ("/".into(), ("cookie", format!("a={ph}")), Spot::Header("cookie".into())),
        ("/".into(), ("x-api-key", format!("{ph} ")), Spot::Header("x-api-key".into())),
        ("/".into(), ("x-api-key", format!("{ph},{ph}")), Spot::Header("x-api-key".into())),
        ("/".into(), ("authorization", ph.to_string()), Spot::Header("authorization".into())),
        ("/".into(), ("authorization", basic(format!("{ph}:x"))), Spot::BasicUser),
        ("/".into(), ("authorization", basic(format!("x:{ph}y"))), Spot::Basic),
        (
            "/".into(),
            ("authorization", basic(format!("{ph}"))),
            Spot::Header("authorization".into()),
        ),
        ("/".into(), ("authorization", basic(format!("x:{encoded}"))), Spot::Basic),
        (
            "/".into(),
            ("proxy-authorization", basic(format!("x:{ph}"))),
            Spot::Header("proxy-authorization".into()),
        ),
        ("/".into(), (ph.as_str(), String::new()), Spot::HeaderName),
    ] {
        let head = head(&uri, std::slice::from_ref(&header)).unwrap();
        let refused = plan(&swap, "api.example.com", &head);
        let Err(Refusal::Misplaced { spot: found, .. }) = &refused else {
            panic!("{uri} {header:?}: {refused:?}")
        };
        assert_eq!(*found, spot, "{uri} {header:?}");
    }
}

#[test]
fn the_connection_says_where_it_goes_and_not_the_head() {
    let ph = placeholder(1, "hex");
    let swap = swap(&ph, vec![binding(PLACES)]);
    let key = ("x-api-key", ph.to_string());
    let ask = |uri: &str, hosts: &[&str], port: u16, tls: bool| {
        let mut headers = vec![key.clone()];
        headers.extend(hosts.iter().map(|host| ("host", (*host).to_owned())));
        let host = Host::parse("api.example.com").unwrap();
        swap.plan(Towards { host: &host, port, tls }, &head(uri, &headers).unwrap())
    };
    assert!(ask("/", &["api.example.com"], 443, true).is_ok());
    assert!(ask("/", &["API.example.com.:443"], 443, true).is_ok());
    assert!(ask("https://api.example.com/", &[], 443, true).is_ok());
    for (uri, hosts) in [
        ("/", &["evil.example"][..]),
        ("/", &["api.example.com:8443"]),
        ("/", &["api.example.com", "api.example.com"]),
        ("https://evil.example/", &["api.example.com"]),
        ("https://api.example.com@evil.example/", &[]),
    ] {
        let refused = ask(uri, hosts, 443, true);
        assert!(matches!(refused, Err(Refusal::OtherHost { .. })), "{uri} {hosts:?} {refused:?}");
    }
    for (port, tls) in [(443, false), (80, false), (8443, true)] {
        let refused = ask("/", &["api.example.com"], port, tls);
        assert!(matches!(refused, Err(Refusal::Misplaced { .. })), "{port} {tls} {refused:?}");
    }
}

#[test]
fn methods_and_paths_of_a_binding_hold() {
    let ph = placeholder(1, "plain");
    let mut bound = binding(r#"{"in":"header","name":"x-api-key"}"#);
    bound.to.paths = vec![smartbox_core::egress::PathPattern::parse("/v1/**").unwrap()];
    bound.to.methods = vec!["GET".to_owned()];
    let swap = swap(&ph, vec![bound]);
    let key = [("x-api-key", ph.to_string())];
    assert!(plan(&swap, "api.example.com", &head("/v1/a?b", &key).unwrap()).is_ok());
    for uri in ["/v2/a", "/v1/../v2", "/v1/%2e%2e/v2", "/v1/%2E%2e%2fv2", "//v1/a", "/v1a"] {
        let refused = plan(&swap, "api.example.com", &head(uri, &key).unwrap());
        assert!(refused.is_err(), "{uri}");
    }
    let mut post = head("/v1/a", &key).unwrap();
    post.method = http::Method::POST;
    assert!(plan(&swap, "api.example.com", &post).is_err());
}

#[test]
fn a_host_is_scrubbed_of_all_that_it_may_be_sent() {
    let ph = placeholder(1, "plain");
    let swap = swap(&ph, vec![binding(PLACES), binding(r#"{"in":"basic-user"}"#)]);
    let bound = |host: &str, port| {
        let host = Host::parse(host).unwrap();
        swap.bound_to(&host, port).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(bound("api.example.com", 443), ["KEY"]);
    assert!(bound("api.example.com", 80).is_empty() && bound("example.com", 443).is_empty());
}

#[test]
fn a_redirect_carries_nothing_on() {
    let ph = placeholder(1, "plain");
    let swap = swap(&ph, vec![binding(PLACES)]);
    let mut asked = head(&format!("/bot{ph}/file"), &[]).unwrap();
    plan(&swap, "api.example.com", &asked).unwrap().fill(&mut asked, &values(VALUE)).unwrap();
    // The server sends the box to another one, with all that it was asked.
    let answer = http::Response::builder().status(307);
    let location = format!("https://evil.example{}", asked.uri);
    let (mut answer, ()) = answer.header("location", location).body(()).unwrap().into_parts();
    let scrub = smartbox_egress::scrub::Scrub::new(values(VALUE).values()).unwrap();
    scrub.answer(&mut answer).unwrap();
    let location = answer.headers["location"].to_str().unwrap();
    assert!(reference::places(location.as_bytes(), &[VALUE]).is_empty(), "{location}");
    // And the box asks there with what it has.
    let again = head(&format!("/bot{ph}/file"), &[]).unwrap();
    assert!(matches!(plan(&swap, "evil.example", &again), Err(Refusal::Misplaced { .. })));
}

#[test]
fn a_value_that_would_break_the_request_is_an_error() {
    let ph = placeholder(1, "plain");
    let swap = swap(&ph, vec![binding(&format!(r#"{PLACES},{{"in":"basic-user"}}"#))]);
    let basic = format!("Basic {}", STANDARD.encode(format!("{ph}:x")));
    let bearer = ("authorization", format!("Bearer {ph}"));
    for (uri, header, value) in [
        ("/".to_owned(), bearer.clone(), "good-value\r\nx: y"),
        ("/".to_owned(), bearer.clone(), "good-value\n"),
        ("/".to_owned(), bearer.clone(), "good-value\0"),
        ("/".to_owned(), bearer.clone(), "good-value "),
        ("/".to_owned(), bearer.clone(), "gööd-value"),
        ("/".to_owned(), bearer, "s3cr3t"),
        ("/".to_owned(), ("authorization", basic), "good:value"),
        (format!("/bot{ph}/x"), ("x", String::new()), "good-value\r\n"),
        (format!("/?key={ph}"), ("x", String::new()), "good-value\0"),
    ] {
        let mut head = head(&uri, &[header]).unwrap();
        let before = format!("{head:?}");
        let plan = plan(&swap, "api.example.com", &head).unwrap();
        let refused = plan.fill(&mut head, &values(value)).unwrap_err();
        assert!(matches!(refused, Refusal::BadValue { .. }), "{value:?} {refused:?}");
        assert!(!refused.to_string().contains(value.trim()), "{refused}");
        assert_eq!(format!("{head:?}"), before, "it stays as it was");
    }
    let mut head = head("/", &[("x-api-key", ph.to_string())]).unwrap();
    let plan = plan(&swap, "api.example.com", &head).unwrap();
    assert_eq!(plan.secrets(), ["KEY"]);
    let refused = plan.fill(&mut head, &HashMap::new()).unwrap_err();
    assert!(matches!(refused, Refusal::NoValue { .. }));
}

#[test]
fn a_head_with_a_value_does_not_print_it() {
    let ph = placeholder(1, "plain");
    let swap = swap(&ph, vec![binding(PLACES)]);
    let mut head = head("/", &[("x-api-key", ph.to_string())]).unwrap();
    plan(&swap, "api.example.com", &head).unwrap().fill(&mut head, &values(VALUE)).unwrap();
    assert!(!format!("{head:?}").contains(VALUE));
}

/// A request of parts, with the placeholder in whatever form in whatever place.
fn requests(
    ph: &Placeholder,
) -> impl Strategy<Value = (bool, String, Vec<(&'static str, String)>)> + use<> {
    let text = ph.to_string();
    let spelled = form(text.clone()).prop_map(|form| String::from_utf8(form).unwrap());
    let some = prop_oneof![2 => Just(text.clone()), 2 => spelled, 1 => "[a-z]{0,4}"];
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
    let path = (some.clone(), 0..8_u8).prop_map(|(it, which)| match which {
        0 => format!("/bot{it}"),
        1 => format!("/bot{it}/send"),
        2 => format!("/{it}"),
        3 => format!("/bot{it}x"),
        _ => "/v1".to_owned(),
    });
    let query = (some.clone(), some.clone(), 0..10_u8).prop_map(|(it, other, which)| match which {
        0 => format!("?key={it}"),
        1 => format!("?a=b&k%65y={it}&key={other}"),
        2 => format!("?KEY={it}"),
        3 => format!("?{it}={other}"),
        4 => format!("?key=x{it}"),
        _ => String::new(),
    });
    let header = (some.clone(), some, 0..12_u8).prop_map(move |(it, other, which)| match which {
        0 | 1 => ("authorization", format!("Bearer {it}")),
        2 => ("x-api-key", it),
        3 => ("authorization", basic(&format!("u:{it}"))),
        4 => ("authorization", basic(&format!("{it}:{other}"))),
        5 => ("x-api-key", format!("{it} {other}")),
        6 => ("sec-websocket-protocol", format!("x, key.{it}, key.{other}")),
        7 => ("cookie", format!("key={it}")),
        8 => ("authorization", it),
        _ => ("accept", "*/*".to_owned()),
    });
    let headers = prop::collection::vec(header, 0..3);
    (prop::bool::weighted(0.8), path, query, headers)
        .prop_map(|(bound, path, query, headers)| (bound, format!("{path}{query}"), headers))
}

/// The simple reference: puts the value into each place that is bound, each place written out, and then
/// nothing of the placeholder may be left anywhere.
fn expected(
    ph: &str,
    bound: bool,
    uri: &str,
    headers: &[(&'static str, String)],
) -> Option<(String, Vec<String>)> {
    let clean = |text: &str| reference::places(text.as_bytes(), &[ph]).is_empty();
    let is = |text: &str| percent_decode_str(text).eq(ph.bytes());
    let (path, query) = match uri.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (uri, None),
    };
    let mut path = path.to_owned();
    if let Some(rest) = path.strip_prefix("/bot").filter(|_| bound) {
        let (first, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if is(first) {
            path = format!("/bot{ESCAPED}{after}");
        }
    }
    let pairs = query.unwrap_or_default().split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) if bound && percent_decode_str(name).eq(*b"key") && is(value) => {
            format!("{name}={ESCAPED}")
        }
        _ => pair.to_owned(),
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    let mut fine = clean(&path) && clean(&query);
    let mut sent = Vec::new();
    for (name, value) in headers {
        let decoded = value.strip_prefix("Basic ").filter(|_| *name == "authorization");
        let decoded = decoded.and_then(|encoded| STANDARD.decode(encoded).ok());
        if let Some(decoded) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
            let (user, password) = decoded.split_once(':').unwrap();
            fine &= clean(user);
            if bound && password == ph {
                fine &= clean(user);
                sent.push(format!("Basic {}", STANDARD.encode(format!("{user}:{VALUE}"))));
            } else {
                fine &= clean(&decoded);
                sent.push(value.clone());
            }
            continue;
        }
        let swapped = match *name {
            "authorization" if bound && *value == format!("Bearer {ph}") => {
                format!("Bearer {VALUE}")
            }
            "x-api-key" if bound && *value == ph => VALUE.to_owned(),
            "sec-websocket-protocol" if bound => {
                value.replace(&format!("key.{ph}"), &format!("key.{VALUE}"))
            }
            _ => value.clone(),
        };
        fine &= clean(&swapped);
        sent.push(swapped);
    }
    let target = if uri.contains('?') { format!("{path}?{query}") } else { path };
    fine.then_some((target, sent))
}

proptest! {
    #[test]
    fn a_request_goes_out_as_the_reference_lets_it(
        (ph, (bound, uri, headers)) in (any::<u64>(), prop::sample::select(vec!["plain", "telegram", "github", "hex"]))
            .prop_map(|(seed, shape)| placeholder(seed, shape))
            .prop_flat_map(|ph| (Just(ph.clone()), requests(&ph))),
    ) {
        let Some(mut head) = head(&uri, &headers) else { return Ok(()) };
        let swap = swap(&ph, vec![binding(PLACES)]);
        let host = if bound { "api.example.com" } else { "evil.example" };
        let expected = expected(ph.as_str(), bound, &uri, &headers);
        match plan(&swap, host, &head) {
            Err(refusal) => {
                prop_assert!(expected.is_none(), "{uri} {headers:?} was refused: {refusal}");
            }
            Ok(plan) => {
                let Some((target, sent)) = expected else {
                    return Err(TestCaseError::fail(format!("{uri} {headers:?} went out")));
                };
                plan.fill(&mut head, &values(VALUE)).unwrap();
                prop_assert_eq!(head.uri.to_string(), target);
                let mut out: Vec<&[u8]> = head.headers.values().map(|value| value.as_bytes()).collect();
                let mut sent: Vec<&[u8]> = sent.iter().map(String::as_bytes).collect();
                out.sort_unstable();
                sent.sort_unstable();
                prop_assert_eq!(out, sent);
            }
        }
    }
}
