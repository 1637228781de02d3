//! What a browser is shown of an engine's answer. Its security headers stay; what would reach
//! beyond the box's own host does not pass.

use http::HeaderMap;

use crate::cookie;
use crate::proxy::headers::{drop_hop, drop_where};
use crate::proxy::shield::shield;

/// `clear-site-data` empties cookies of the whole domain, the platform's among them; `alt-svc`
/// leads the box's host to another server. The rest speaks to whatever stands before us: a proxy that
/// reads a file of its own where it is told to, a cache that keeps what it is told to.
const NEVER: [&str; 14] = [
    "clear-site-data",
    "alt-svc",
    "x-powered-by",
    "set-cookie2",
    "x-accel-redirect",
    "x-accel-expires",
    "x-sendfile",
    "x-lighttpd-send-file",
    "x-litespeed-location",
    "x-reproxy-url",
    "surrogate-control",
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "edge-control",
];

/// Makes an engine's response headers ready for the client.
pub(crate) fn toward_client(headers: &mut HeaderMap) {
    drop_hop(headers);
    drop_where(headers, |name| NEVER.contains(&name));
    cookie::restrict(headers);
    shield(headers);
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_box_cannot_reach_beyond_its_host() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("clear-site-data", "\"cookies\""),
            ("alt-svc", "h3=\":443\""),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("set-cookie", "a=1; Domain=localhost"),
            ("x-accel-redirect", "/protected/etc/passwd"),
            ("surrogate-control", "max-age=9999"),
            ("x-accel-buffering", "no"),
            ("content-security-policy", "frame-ancestors 'none'"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        toward_client(&mut headers);
        let mut names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        let ours = [
            "cache-control",
            "content-security-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "origin-agent-cluster",
            "referrer-policy",
            "set-cookie",
            "x-accel-buffering",
            "x-content-type-options",
            "x-frame-options",
        ];
        assert_eq!(names, ours);
        assert_eq!(headers["set-cookie"], "a=1");
        assert_eq!(headers["referrer-policy"], "same-origin");
    }
}
