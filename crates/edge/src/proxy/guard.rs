//! Where a request comes from. A box's page is hostile to other boxes and to the platform, and
//! sibling hosts can be the *same site*, so cookies alone prove nothing.

use http::header::ORIGIN;
use http::{HeaderMap, HeaderName, Method};

use crate::settings::Scheme;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether this is a socket or a change made by the box's own page: its `Origin` is the box's own,
/// or the browser itself says that the request is of the same origin.
pub(crate) fn own_origin(headers: &HeaderMap, scheme: Scheme, host: &str) -> bool {
    match headers.get(ORIGIN).map(http::HeaderValue::as_bytes) {
        // A page with the referrer policy `no-referrer` sends `null` with its forms.
        None | Some(b"null") => fetch_site(headers) == Some("same-origin"),
        Some(_) => own_origin_strict(headers, scheme, host),
    }
}

/// The same, with an `Origin` and nothing less: for sockets, where browsers always send one.
pub(crate) fn own_origin_strict(headers: &HeaderMap, scheme: Scheme, host: &str) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else { return false };
    let Ok(origin) = origin.to_str() else { return false };
    let Some(rest) = origin.strip_prefix(scheme.as_str()).and_then(|r| r.strip_prefix("://"))
    else {
        return false;
    };
    let default = if scheme == Scheme::Https { ":443" } else { ":80" };
    let bare = |host: &str| host.strip_suffix(default).unwrap_or(host).to_ascii_lowercase();
    bare(rest) == bare(host)
}

/// Whether another site made this read without the person going there: an image, a script, a
/// frame. Following a link is no such thing.
pub(crate) fn uninvited(method: &Method, headers: &HeaderMap) -> bool {
    match fetch_site(headers) {
        None | Some("same-origin" | "none") => false,
        Some(_) => {
            let is = |name: &str, what: &str| {
                headers.get(name).is_some_and(|value| value.as_bytes() == what.as_bytes())
            };
            !(method == Method::GET
                && is("sec-fetch-mode", "navigate")
                && is("sec-fetch-dest", "document"))
        }
    }
}

fn fetch_site(headers: &HeaderMap) -> Option<&str> {
    headers.get(FETCH_SITE).map(|value| value.to_str().unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, http::HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn only_the_boxes_own_page_changes_things() {
        let host = "pa.localhost:7777";
        for (pairs, good) in [
            (vec![("origin", "http://pa.localhost:7777")], true),
            (vec![("origin", "http://PA.localhost:7777")], true),
            (vec![("origin", "https://pa.localhost:7777")], false),
            (vec![("origin", "http://pa.localhost")], false),
            (vec![("origin", "http://evil.localhost:7777")], false),
            (vec![("origin", "http://localhost:7777")], false),
            (vec![("origin", "http://pa.localhost:7777.evil.com")], false),
            (vec![("origin", "null")], false),
            (vec![], false),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("origin", "null"), ("sec-fetch-site", "same-origin")], true),
            (vec![("origin", "http://evil.com"), ("sec-fetch-site", "same-origin")], false),
            (vec![("origin", "http://pa.localhost:7777"), ("origin", "http://evil.com")], false),
        ] {
            assert_eq!(own_origin(&map(&pairs), Scheme::Http, host), good, "{pairs:?}");
        }
        assert!(own_origin(
            &map(&[("origin", "https://pa.example.com")]),
            Scheme::Https,
            "pa.example.com:443"
        ));
        assert!(!own_origin_strict(&map(&[("sec-fetch-site", "same-origin")]), Scheme::Http, host));
    }

    #[test]
    fn other_sites_may_link_but_not_embed() {
        let navigate = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        for (site, extra, bad) in [
            ("same-site", &[("sec-fetch-dest", "script")][..], true),
            ("cross-site", &[("sec-fetch-dest", "image")], true),
            ("cross-site", &navigate, false),
            ("cross-site", &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], true),
            ("same-origin", &[("sec-fetch-dest", "script")], false),
            ("none", &navigate, false),
        ] {
            let mut headers = map(extra);
            headers.insert("sec-fetch-site", http::HeaderValue::from_static(site));
            assert_eq!(uninvited(&Method::GET, &headers), bad, "{site} {extra:?}");
        }
        assert!(!uninvited(&Method::GET, &map(&[])));
    }
}
