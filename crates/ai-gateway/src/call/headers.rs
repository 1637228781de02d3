//! Which headers pass. Both ways by a list of what is needed, so that what was never thought of
//! (cookies, forwarding and tracing headers, names of organisations, hop-by-hop headers) stays out.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE,
    HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use http::{HeaderMap, header};

use crate::call::scrub::Scrub;

const UP: [HeaderName; 3] = [ACCEPT, CONTENT_TYPE, USER_AGENT];
const UP_NAMES: [&str; 4] =
    ["anthropic-version", "anthropic-beta", "openai-beta", "idempotency-key"];
const UP_BEGINNINGS: [&str; 1] = ["x-stainless-"];

const DOWN: [HeaderName; 6] =
    [CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, RETRY_AFTER];
const DOWN_NAMES: [&str; 6] = [
    "retry-after-ms",
    "request-id",
    "x-request-id",
    "x-should-retry",
    "openai-processing-ms",
    "openai-version",
];
const DOWN_BEGINNINGS: [&str; 2] = ["anthropic-ratelimit-", "x-ratelimit-"];

/// What of the box's headers goes to the provider.
pub(crate) fn up(from: &HeaderMap) -> HeaderMap {
    let mut to = pick(from, &UP, &UP_NAMES, &UP_BEGINNINGS);
    // Compressed, the answer's usage could not be read along the way.
    to.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    to
}

/// What of the provider's headers goes to the box. A header that holds the key is left out.
pub(crate) fn down(from: &HeaderMap, scrub: Option<&Scrub>) -> HeaderMap {
    let mut to = pick(from, &DOWN, &DOWN_NAMES, &DOWN_BEGINNINGS);
    if let Some(scrub) = scrub {
        let echoing: Vec<HeaderName> = to
            .iter()
            .filter(|(_, value)| scrub.occurs_in(value.as_bytes()))
            .map(|(name, _)| name.clone())
            .collect();
        for name in echoing {
            to.remove(name);
        }
    }
    to
}

/// Whether the box compressed its request's body.
pub(crate) fn is_encoded(from: &HeaderMap) -> bool {
    from.get_all(header::CONTENT_ENCODING).iter().any(|value| value != "identity")
}

fn pick(from: &HeaderMap, known: &[HeaderName], names: &[&str], beginnings: &[&str]) -> HeaderMap {
    let passes = |name: &HeaderName| {
        known.contains(name)
            || names.contains(&name.as_str())
            || beginnings.iter().any(|beginning| name.as_str().starts_with(beginning))
    };
    let mut to = HeaderMap::new();
    for (name, value) in from.iter().filter(|(name, _)| passes(name)) {
        to.append(name.clone(), value.clone());
    }
    to
}

#[cfg(test)]
mod tests {
    use smartbox_core::secret::Secret;

    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn nothing_of_the_boxes_identity_or_hop_goes_up() {
        let passed = up(&map(&[
            ("anthropic-beta", "a"),
            ("anthropic-version", "2023-06-01"),
            ("x-stainless-lang", "js"),
            ("accept-encoding", "gzip, br"),
            ("x-api-key", "box token"),
            ("authorization", "Bearer box token"),
            ("cookie", "a=b"),
            ("connection", "keep-alive, anthropic-beta"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("host", "evil.example"),
            ("x-forwarded-for", "1.2.3.4"),
            ("traceparent", "00-1"),
            ("openai-organization", "org-other"),
            ("proxy-authorization", "Basic x"),
            ("x-oc-platform-box", "box-1"),
        ]));
        let expected =
            ["accept-encoding", "anthropic-beta", "anthropic-version", "x-stainless-lang"];
        assert_eq!(names(&passed), expected);
        assert_eq!(passed[ACCEPT_ENCODING], "identity");
    }

    #[test]
    fn what_clients_act_on_comes_down_and_an_echoed_key_does_not() {
        let scrub = Scrub::new(&Secret::new("sk-canary-1".to_owned()));
        let passed = down(
            &map(&[
                ("retry-after", "7"),
                ("request-id", "req_1"),
                ("anthropic-ratelimit-tokens-remaining", "3"),
                ("x-ratelimit-limit-requests", "sk-canary-1"),
                ("x-request-id", "for sk-canary-1 only"),
                ("anthropic-organization-id", "org"),
                ("set-cookie", "__cf_bm=1"),
                ("location", "https://elsewhere"),
                ("server", "x"),
                ("transfer-encoding", "chunked"),
            ]),
            scrub.as_ref(),
        );
        let expected = ["anthropic-ratelimit-tokens-remaining", "request-id", "retry-after"];
        assert_eq!(names(&passed), expected);
    }
}
