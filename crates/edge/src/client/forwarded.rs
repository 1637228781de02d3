//! What proxies say of whoever came to them: `X-Forwarded-For` and `-Proto`, and `Forwarded` (RFC
//! 7239). Read from the right, where our own proxies have written; the rest is the client's.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

use super::trusted;
use crate::settings::Scheme;

/// What was understood.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) client: Option<IpAddr>,
    pub(super) scheme: Option<Scheme>,
}

pub(super) fn read(headers: &HeaderMap, proxies: &[IpNet]) -> Said {
    let theirs = elements(headers, "x-forwarded-for");
    let standard = elements(headers, "forwarded");
    let by_list = client(theirs.iter().map(|text| address(text)), proxies);
    let by_standard = client(standard.iter().map(|one| address(pair(one, "for")?)), proxies);
    let client = match (theirs.is_empty(), standard.is_empty()) {
        (true, _) => by_standard,
        (_, true) => by_list,
        // A proxy that writes one of them passes the client's own other one on.
        _ => by_list.filter(|one| by_standard.as_ref() == Some(one)),
    };
    let protos = elements(headers, "x-forwarded-proto");
    let proto = protos.last().copied().or_else(|| pair(standard.last()?, "proto"));
    Said { client, scheme: proto.and_then(scheme) }
}

/// The parts between commas, over all lines. A comma within quotes makes parts that nobody
/// understands, which is where reading ends: what stands right of it was written by proxies.
fn elements<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    let lines = headers.get_all(name).into_iter().map(|line| line.to_str().unwrap_or("?"));
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

/// The rightmost one that is no proxy of ours; the leftmost if all are; nothing beyond what is not
/// understood.
fn client(
    hops: impl DoubleEndedIterator<Item = Option<IpAddr>>,
    proxies: &[IpNet],
) -> Option<IpAddr> {
    let mut last = None;
    for hop in hops.rev() {
        let Some(hop) = hop else { break };
        let hop = hop.to_canonical();
        last = Some(hop);
        if !trusted(hop, proxies) {
            break;
        }
    }
    last
}

/// With or without a port, an IPv6 address in brackets or bare.
fn address(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(v6) => v6.parse().ok().map(IpAddr::V6),
        None => text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip())),
    }
}

/// A value among `name=value;name="value"`.
fn pair<'t>(element: &'t str, wanted: &str) -> Option<&'t str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = value.trim();
        let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        name.trim().eq_ignore_ascii_case(wanted).then(|| quoted.unwrap_or(value))
    })
}

fn scheme(text: &str) -> Option<Scheme> {
    match text {
        _ if text.eq_ignore_ascii_case("https") => Some(Scheme::Https),
        _ if text.eq_ignore_ascii_case("http") => Some(Scheme::Http),
        _ => None,
    }
}
