//! Who is at the other end: the address that connected, or, if that is a proxy of ours, the one that
//! it names. What anybody else says of addresses is taken off the request.

mod forwarded;

use std::net::{IpAddr, SocketAddr};

use http::header::HOST;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use ipnet::IpNet;

use crate::body::EdgeBody;
use crate::problem::Refusal;
use crate::proxy::drop_where;
use crate::settings::Scheme;

/// Whether a header speaks of addresses, hosts or schemes before a proxy.
fn speaks_of_others(name: &str) -> bool {
    name == "forwarded"
        || name.starts_with("x-forwarded-")
        || matches!(name, "x-real-ip" | "x-client-ip" | "true-client-ip" | "cf-connecting-ip")
}

/// Who asks, and how he came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Where the request comes from; its port is 0 where a proxy did not say.
    pub address: SocketAddr,
    /// How he reached us or the proxy before us, as far as is known.
    pub scheme: Option<Scheme>,
    /// The request says that it passed a proxy, whether that is believed or not.
    pub relayed: bool,
}

impl Peer {
    /// A direct connection.
    pub fn direct(address: SocketAddr) -> Self {
        Self { address, scheme: None, relayed: false }
    }
}

/// Whether this address is a proxy of ours.
pub(crate) fn trusted(ip: IpAddr, proxies: &[IpNet]) -> bool {
    let ip = ip.to_canonical();
    proxies.iter().any(|net| net.contains(&ip))
}

/// Who asks; takes everything off the headers that speaks of it.
pub(crate) fn of(connected: SocketAddr, headers: &mut HeaderMap, proxies: &[IpNet]) -> Peer {
    let relayed = headers.keys().any(|name| speaks_of_others(name.as_str()));
    if !relayed {
        return Peer::direct(connected);
    }
    let mut peer = Peer { address: connected, scheme: None, relayed };
    if trusted(connected.ip(), proxies) {
        let said = forwarded::read(headers, proxies);
        if let Some(ip) = said.client {
            peer.address = SocketAddr::new(ip, 0);
        }
        peer.scheme = said.scheme;
    }
    drop_where(headers, speaks_of_others);
    peer
}

/// The answer to somebody who came to the proxy before us without TLS: a look is sent where there is
/// TLS, and what holds a body was read by others already.
pub(crate) fn to_https<B>(request: &Request<B>, port: u16) -> Response<EdgeBody> {
    let looks = request.method() == Method::GET || request.method() == Method::HEAD;
    let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().host().or(header);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let safe = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    let host = host.and_then(|host| host.split(':').next()).filter(safe);
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    let there = host
        .filter(|_| looks && path.starts_with('/'))
        .and_then(|host| crate::edge::redirect(&format!("https://{host}{port}{path}")).ok());
    match there {
        Some(mut response) => {
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            response
        }
        None => plain().response(false),
    }
}

fn plain() -> Refusal {
    let message = "This came unencrypted, and could be read on its way.";
    Refusal::new(StatusCode::FORBIDDEN, "not-encrypted", message, "Use https.")
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn who(connected: &str, pairs: &[(&str, &str)]) -> (String, Option<Scheme>) {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let proxies = ["10.0.0.0/8", "fd00::/8", "192.0.2.7/32"].map(|net| net.parse().unwrap());
        let peer = of(SocketAddr::new(connected.parse().unwrap(), 5), &mut headers, &proxies);
        assert!(headers.is_empty(), "{headers:?}");
        assert_eq!(peer.relayed, !pairs.is_empty());
        (peer.address.ip().to_string(), peer.scheme)
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let says = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https")];
        assert_eq!(who("10.1.1.1", &says), ("1.2.3.4".into(), Some(Scheme::Https)));
        assert_eq!(who("::ffff:10.1.1.1", &says), ("1.2.3.4".into(), Some(Scheme::Https)));
        assert_eq!(who("8.8.8.8", &says), ("8.8.8.8".into(), None));
        assert_eq!(who("127.0.0.1", &says), ("127.0.0.1".into(), None));
        assert_eq!(who("10.1.1.1", &[("x-real-ip", "1.2.3.4")]), ("10.1.1.1".into(), None));
        assert_eq!(who("10.1.1.1", &[]), ("10.1.1.1".into(), None));
    }

    #[test]
    fn the_last_hop_that_is_not_ours_is_the_client() {
        for (chain, client) in [
            // What stands further left was said by the client himself.
            ("127.0.0.1, 1.2.3.4", "1.2.3.4"),
            ("1.2.3.4, 10.2.2.2", "1.2.3.4"),
            ("6.6.6.6, 1.2.3.4, 10.2.2.2, 192.0.2.7", "1.2.3.4"),
            ("1.2.3.4:8080", "1.2.3.4"),
            ("[2001:db8::1]:8080, 10.2.2.2", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            // Nothing can be said of who stands before what is not understood.
            ("1.2.3.4, unknown, 10.2.2.2", "10.2.2.2"),
            ("nonsense", "10.1.1.1"),
            ("", "10.1.1.1"),
            ("1.2.3.4,", "10.1.1.1"),
            // All of them are ours: the first is who it began with.
            ("10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ] {
            assert_eq!(who("10.1.1.1", &[("x-forwarded-for", chain)]).0, client, "{chain}");
        }
        let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.2.3.4")];
        assert_eq!(who("10.1.1.1", &lines).0, "1.2.3.4");
    }

    #[test]
    fn the_standard_header_is_read_too() {
        for (line, client, scheme) in [
            ("for=1.2.3.4;proto=https", "1.2.3.4", Some(Scheme::Https)),
            ("For=\"[2001:db8::1]:4711\";by=x", "2001:db8::1", None),
            (
                "for=127.0.0.1, for=1.2.3.4 ; proto=http ; by=x, for=10.2.2.2;proto=https",
                "1.2.3.4",
                Some(Scheme::Https),
            ),
            ("for=_hidden, for=10.2.2.2", "10.2.2.2", None),
            ("proto=https", "10.1.1.1", Some(Scheme::Https)),
            ("for=\"1.2.3.4", "10.1.1.1", None),
            ("for=\"1.2.3.4, for=6.6.6.6\"", "10.1.1.1", None),
        ] {
            assert_eq!(who("10.1.1.1", &[("forwarded", line)]), (client.into(), scheme), "{line}");
        }
    }

    #[test]
    fn two_headers_that_disagree_are_both_disbelieved() {
        // A proxy that writes one of them passes the client's own other one on.
        let both = [("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "1.2.3.4")];
        assert_eq!(who("10.1.1.1", &both).0, "10.1.1.1");
        let same = [("forwarded", "for=1.2.3.4"), ("x-forwarded-for", "1.2.3.4")];
        assert_eq!(who("10.1.1.1", &same).0, "1.2.3.4");
    }

    #[test]
    fn the_scheme_is_what_the_nearest_proxy_says() {
        for (line, scheme) in [
            ("http, https", Some(Scheme::Https)),
            ("https,HTTP", Some(Scheme::Http)),
            ("https, ftp", None),
            ("", None),
        ] {
            assert_eq!(who("10.1.1.1", &[("x-forwarded-proto", line)]).1, scheme, "{line}");
        }
    }
}
