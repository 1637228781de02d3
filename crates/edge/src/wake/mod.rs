//! What a request means for a box that sleeps: a page that is opened, something that must be
//! answered, or what a page does by itself. Pure, but for waiting.

use http::header::ACCEPT;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};

use crate::settings::EngineWords;

/// The meaning of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visit {
    /// A person opens a page: shows the loading page, wakes.
    Page,
    /// Must be answered: waits, wakes.
    Call,
    /// A page's own background request: wakes nothing, and is no activity.
    Quiet,
}

/// What browsers fetch for a page without anybody's doing.
const PASSIVE: [&str; 14] = [
    "audio",
    "audioworklet",
    "font",
    "image",
    "manifest",
    "paintworklet",
    "report",
    "script",
    "serviceworker",
    "sharedworker",
    "style",
    "track",
    "video",
    "worker",
];

const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const AHEAD: [HeaderName; 2] =
    [HeaderName::from_static("sec-purpose"), HeaderName::from_static("purpose")];

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether the answer is shown to a person as a page.
pub(crate) fn shows_html(headers: &HeaderMap) -> bool {
    let accepts = text(headers, &ACCEPT).is_some_and(|accept| accept.contains("text/html"));
    accepts && text(headers, &FETCH_DEST).is_none_or(|dest| dest == "document")
}

/// What a request means.
pub(crate) fn visit(parts: &Parts, words: &EngineWords) -> Visit {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Visit::Call;
    }
    let headers = &parts.headers;
    let ahead = AHEAD
        .iter()
        .any(|name| text(headers, name).is_some_and(|value| value.starts_with("prefetch")));
    let passive = text(headers, &FETCH_DEST).is_some_and(|dest| PASSIVE.contains(&dest));
    let path = parts.uri.path();
    if ahead || passive || words.quiet_paths.iter().any(|quiet| quiet.matches(path)) {
        Visit::Quiet
    } else if parts.method == Method::GET && shows_html(headers) {
        Visit::Page
    } else {
        Visit::Call
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_person_is_told_from_a_page() {
        for (method, path, headers, expected) in [
            (
                "GET",
                "/",
                &[("accept", "text/html,*/*"), ("sec-fetch-dest", "document")][..],
                Visit::Page,
            ),
            ("GET", "/chat/main", &[("accept", "text/html")], Visit::Page),
            ("GET", "/", &[("accept", "*/*")], Visit::Call),
            ("GET", "/", &[("accept", "text/html"), ("sec-fetch-dest", "iframe")], Visit::Call),
            (
                "GET",
                "/",
                &[("accept", "text/html"), ("sec-purpose", "prefetch;prerender")],
                Visit::Quiet,
            ),
            ("GET", "/x", &[("sec-fetch-dest", "image")], Visit::Quiet),
            ("GET", "/x", &[("sec-fetch-dest", "serviceworker")], Visit::Quiet),
            ("GET", "/assets/index.js", &[], Visit::Quiet),
            ("GET", "/sw.js", &[], Visit::Quiet),
            ("GET", "/favicon.ico", &[("accept", "text/html")], Visit::Quiet),
            ("GET", "/api/users/1/avatar", &[], Visit::Quiet),
            ("HEAD", "/", &[("accept", "text/html")], Visit::Call),
            ("POST", "/assets/x", &[("sec-fetch-dest", "image")], Visit::Call),
            ("POST", "/v1/chat/completions", &[("accept", "text/html")], Visit::Call),
        ] {
            let mut request = Request::builder().method(method).uri(path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let parts = request.body(()).unwrap().into_parts().0;
            assert_eq!(
                visit(&parts, &EngineWords::default()),
                expected,
                "{method} {path} {headers:?}"
            );
        }
    }
}
