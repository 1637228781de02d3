//! Whether a request that changes something comes from one of our own pages. Pure.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Method};

/// Where a request says that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// One of our own pages: the browser says so.
    Own,
    /// Another site, or another origin of ours (a box's page is hostile to the platform).
    Other,
    /// It does not say: no browser, or an old one.
    Unsaid,
}

/// Whether the method is one that changes nothing.
pub(super) fn harmless(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether another site's page made a browser ask without its person going there: an image, a script,
/// a frame, a fetch. Following a link is no such thing.
pub(super) fn uninvited(method: &Method, headers: &HeaderMap) -> bool {
    let is = |name: &str, what: &str| headers.get(name).is_some_and(|value| value == what);
    let other = headers.contains_key("sec-fetch-site")
        && !is("sec-fetch-site", "same-origin")
        && !is("sec-fetch-site", "none");
    let goes = method == Method::GET
        && is("sec-fetch-mode", "navigate")
        && is("sec-fetch-dest", "document");
    other && !goes && harmless(method)
}

/// Whether the person did something to come here from another site: clicked, not merely looked.
pub(super) fn clicked(headers: &HeaderMap) -> bool {
    let is = |name: &str, what: &str| headers.get(name).is_some_and(|value| value == what);
    let other = is("sec-fetch-site", "cross-site") || is("sec-fetch-site", "same-site");
    !other || is("sec-fetch-user", "?1")
}

/// Reads `Sec-Fetch-Site`, which pages cannot forge, and `Origin`.
pub(super) fn from(headers: &HeaderMap, scheme: &str) -> From {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    let site = text("sec-fetch-site");
    let origin = headers.get(ORIGIN).map(|v| v.to_str().unwrap_or("?"));
    let host = headers.get(HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    match (site, origin) {
        // `none`: the person typed it. A form never says that.
        (Some("same-origin"), Some(origin)) if origin != "null" => exact(origin, scheme, host),
        (Some("same-origin"), _) => From::Own,
        (Some(_), _) => From::Other,
        (None, Some(origin)) => exact(origin, scheme, host),
        (None, None) => From::Unsaid,
    }
}

fn exact(origin: &str, scheme: &str, host: &str) -> From {
    let ours = origin
        .strip_prefix(scheme)
        .and_then(|rest| rest.strip_prefix("://"))
        .is_some_and(|rest| !host.is_empty() && rest.eq_ignore_ascii_case(host));
    if ours { From::Own } else { From::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pairs: &[(&'static str, &str)]) -> From {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        from(&headers, "http")
    }

    #[test]
    fn another_site_may_lead_here_and_nothing_else() {
        let map = |pairs: &[(&'static str, &str)]| {
            let pairs = pairs.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap()));
            pairs.collect::<HeaderMap>()
        };
        let (site, goes) = (("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"));
        let (page, frame) = (("sec-fetch-dest", "document"), ("sec-fetch-dest", "iframe"));
        for (pairs, bad) in [
            (vec![], false),
            (vec![site, goes, page], false),
            (vec![site, goes, frame], true),
            (vec![site, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "empty")], true),
            (vec![("sec-fetch-site", "same-site"), ("sec-fetch-dest", "image")], true),
            (vec![("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "style")], false),
            (vec![("sec-fetch-site", "none"), goes, page], false),
        ] {
            assert_eq!(uninvited(&Method::GET, &map(&pairs)), bad, "{pairs:?}");
        }
        assert!(clicked(&map(&[])) && clicked(&map(&[("sec-fetch-site", "none")])));
        assert!(!clicked(&map(&[site, goes, page])));
        assert!(clicked(&map(&[site, goes, page, ("sec-fetch-user", "?1")])));
    }

    #[test]
    fn only_the_very_same_origin_is_our_own() {
        let host = ("host", "127.0.0.1:7777");
        let own = "http://127.0.0.1:7777";
        assert_eq!(said(&[host, ("origin", own)]), From::Own);
        assert_eq!(said(&[host, ("origin", own), ("sec-fetch-site", "same-origin")]), From::Own);
        assert_eq!(said(&[host, ("sec-fetch-site", "same-origin")]), From::Own);
        assert_eq!(said(&[host]), From::Unsaid);
        for origin in [
            "http://pa.localhost:7777",
            "http://127.0.0.1:7778",
            "https://127.0.0.1:7777",
            "null",
            "http://127.0.0.1:7777.evil.example",
            "http://evil.example",
            "",
        ] {
            assert_eq!(said(&[host, ("origin", origin)]), From::Other, "{origin}");
        }
        for site in ["cross-site", "same-site", "none", "nonsense"] {
            let pairs = [host, ("origin", own), ("sec-fetch-site", site)];
            assert_eq!(said(&pairs), From::Other, "{site}");
        }
    }
}
