//! What an engine is shown of a request: nothing that says who or where one is, but what the
//! platform itself says.

use std::net::IpAddr;

use http::header::{CONNECTION, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::admit::Person;
use crate::cookie;
use crate::settings::EdgeSettings;

/// Shown instead of an address that is not public: an engine refuses requests that were forwarded
/// for a loopback address. From the block for documentation (RFC 5737).
const NOWHERE: HeaderValue = HeaderValue::from_static("192.0.2.1");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

const HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const NEVER: [&str; 11] = [
    "forwarded",
    "expect",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-rewrite-url",
    "sec-websocket-extensions",
    // Of whoever stands before us: a box has no part in their traces.
    "traceparent",
    "tracestate",
    "baggage",
];

const NEVER_BEGIN: [&str; 7] = [
    "x-forwarded-",
    "x-openclaw-",
    "x-smartbox-",
    "x-oc-",
    "x-original-",
    "tailscale-",
    "cf-access-",
];

/// Removes what is between two neighbours only (RFC 9110 §7.6.1), named in `Connection` or not.
pub(crate) fn drop_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| name.trim().parse().ok())
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    drop_where(headers, |name| HOP.contains(&name));
}

pub(crate) fn drop_where(headers: &mut HeaderMap, bad: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| bad(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Makes a request's headers ready for the engine. `host` is the box's own, already checked.
pub(crate) fn toward_engine(
    headers: &mut HeaderMap,
    settings: &EdgeSettings,
    person: &Person,
    host: &HeaderValue,
    peer: IpAddr,
) {
    drop_hop(headers);
    drop_where(headers, |name| {
        NEVER.contains(&name) || NEVER_BEGIN.iter().any(|begin| name.starts_with(begin))
    });
    cookie::hide(headers);
    let proto = HeaderValue::from_static(settings.scheme.as_str());
    headers.insert(HOST, host.clone());
    headers.insert(FORWARDED_FOR, address(peer));
    headers.insert(FORWARDED_PROTO, proto);
    headers.insert(FORWARDED_HOST, host.clone());
    let identity = &settings.identity;
    if let (Some(origin), true) = (&identity.origin, headers.contains_key(ORIGIN)) {
        headers.insert(ORIGIN, origin.clone());
    }
    for (name, value) in &identity.fixed {
        headers.insert(name, value.clone());
    }
    for (right, (name, value)) in &identity.caps {
        headers.remove(name);
        if *right == person.right {
            headers.insert(name, value.clone());
        }
    }
    if let Some(name) = &identity.user {
        match HeaderValue::from_str(&person.name) {
            Ok(value) => headers.insert(name, value),
            Err(_) => headers.remove(name),
        };
    }
}

fn address(peer: IpAddr) -> HeaderValue {
    let peer = peer.to_canonical();
    let shown = public(peer).then(|| HeaderValue::from_str(&peer.to_string()).ok());
    shown.flatten().unwrap_or(NOWHERE)
}

fn public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || a == 0
                || (a == 100 && (64..128).contains(&b)))
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.is_multicast())
        }
    }
}

#[cfg(test)]
mod tests {
    use smartbox_core::id::AccountId;
    use smartbox_core::person::Right;

    use super::*;
    use crate::settings::Scheme;

    fn settings() -> EdgeSettings {
        let mut settings = EdgeSettings::new(Scheme::Http, "localhost", 7777, "/");
        settings.identity.user = Some(HeaderName::from_static("x-smartbox-user"));
        settings.identity.fixed =
            vec![(HeaderName::from_static("x-smartbox-proxy"), HeaderValue::from_static("1"))];
        settings.identity.origin = Some(HeaderValue::from_static("http://127.0.0.1:18789"));
        settings
    }

    fn person(name: &str) -> Person {
        let account: AccountId = "acc_00000000000000000000".parse().unwrap();
        Person { account, who: name.into(), name: name.into(), right: Right::Own }
    }

    fn through(pairs: &[(&str, &str)], peer: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let host = HeaderValue::from_static("pa.localhost:7777");
        toward_engine(&mut headers, &settings(), &person("ann"), &host, peer.parse().unwrap());
        headers
    }

    #[test]
    fn whatever_claims_an_identity_is_replaced() {
        let forged = [
            ("forwarded", "for=127.0.0.1"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-user", "root"),
            ("x-real-ip", "127.0.0.1"),
            ("tailscale-user-login", "root"),
            ("x-openclaw-scopes", "operator.admin"),
            ("x-smartbox-user", "root"),
            ("x-smartbox-user", "root2"),
            ("x-smartbox-proxy", "0"),
            ("x-oc-user", "root"),
            ("cf-access-jwt-assertion", "x"),
            ("host", "evil"),
        ];
        let headers = through(&forged, "127.0.0.1");
        let mut seen: Vec<_> =
            headers.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            [
                ("host", "pa.localhost:7777"),
                ("x-forwarded-for", "192.0.2.1"),
                ("x-forwarded-host", "pa.localhost:7777"),
                ("x-forwarded-proto", "http"),
                ("x-smartbox-proxy", "1"),
                ("x-smartbox-user", "ann"),
            ]
        );
    }

    #[test]
    fn a_name_that_is_no_header_value_is_not_replaced_by_the_visitors() {
        let mut headers = HeaderMap::new();
        headers.insert("x-smartbox-user", HeaderValue::from_static("root"));
        let host = HeaderValue::from_static("pa.localhost");
        let peer = "127.0.0.1".parse().unwrap();
        toward_engine(&mut headers, &settings(), &person("a\r\nb"), &host, peer);
        assert!(!headers.contains_key("x-smartbox-user"));
    }

    #[test]
    fn hop_by_hop_headers_end_here() {
        let headers = through(
            &[
                ("connection", "keep-alive, X-Secret, x-smartbox-user"),
                ("connection", "close"),
                ("x-secret", "1"),
                ("keep-alive", "timeout=1"),
                ("te", "trailers"),
                ("upgrade", "h2c"),
                ("transfer-encoding", "chunked"),
                ("proxy-authorization", "Basic x"),
                ("expect", "100-continue"),
                ("accept", "*/*"),
            ],
            "8.8.8.8",
        );
        for name in ["connection", "x-secret", "keep-alive", "te", "upgrade", "transfer-encoding"] {
            assert!(!headers.contains_key(name), "{name}");
        }
        assert_eq!(headers["x-smartbox-user"], "ann");
        assert_eq!(headers["accept"], "*/*");
        assert!(!headers.contains_key("expect") && !headers.contains_key("proxy-authorization"));
    }

    #[test]
    fn only_public_addresses_are_shown() {
        for (peer, shown) in [
            ("8.8.8.8", "8.8.8.8"),
            ("::ffff:8.8.8.8", "8.8.8.8"),
            ("2606:4700::1", "2606:4700::1"),
            ("127.0.0.1", "192.0.2.1"),
            ("::1", "192.0.2.1"),
            ("::ffff:127.0.0.1", "192.0.2.1"),
            ("10.1.2.3", "192.0.2.1"),
            ("100.64.0.1", "192.0.2.1"),
            ("fd00::1", "192.0.2.1"),
            ("fe80::1", "192.0.2.1"),
        ] {
            assert_eq!(address(peer.parse().unwrap()), shown, "{peer}");
        }
    }

    #[test]
    fn origin_is_rewritten_only_where_there_is_one() {
        let with = through(&[("origin", "http://pa.localhost:7777")], "127.0.0.1");
        assert_eq!(with["origin"], "http://127.0.0.1:18789");
        assert!(!through(&[], "127.0.0.1").contains_key("origin"));
    }
}
