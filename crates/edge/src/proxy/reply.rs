//! What a browser is shown of an engine's answer. Its security headers stay; what would reach
//! beyond the box's own host does not pass.

use http::header::REFERRER_POLICY;
use http::{HeaderMap, HeaderValue};

use crate::cookie;
use crate::proxy::headers::{drop_hop, drop_where};

/// `clear-site-data` empties cookies of the whole domain, the platform's among them; `alt-svc`
/// leads the box's host to another server.
const NEVER: [&str; 3] = ["clear-site-data", "alt-svc", "x-powered-by"];

/// Makes an engine's response headers ready for the client.
pub(crate) fn toward_client(headers: &mut HeaderMap) {
    drop_hop(headers);
    drop_where(headers, |name| NEVER.contains(&name));
    cookie::restrict(headers);
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
}

#[cfg(test)]
mod tests {
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
            ("content-security-policy", "frame-ancestors 'none'"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        toward_client(&mut headers);
        let mut names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-security-policy", "referrer-policy", "set-cookie"]);
        assert_eq!(headers["set-cookie"], "a=1");
        assert_eq!(headers["referrer-policy"], "same-origin");
    }
}
