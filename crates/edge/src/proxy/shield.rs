//! What a box's answer says to protect itself, where its engine says less: who may frame it, hold its
//! window, load it or keep a copy. What the engine says more strictly stays, and nothing is relaxed.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// What is said where the engine says nothing.
const USUAL: [(HeaderName, &str); 4] = [
    (REFERRER_POLICY, "same-origin"),
    // Whoever opened the page holds no window of it; what the page opens itself it may talk to.
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin-allow-popups"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // No sibling becomes the same origin by `document.domain`, nor shares its process.
    (HeaderName::from_static("origin-agent-cluster"), "?1"),
];

pub(super) fn shield(headers: &mut HeaderMap) {
    for (name, value) in USUAL {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    frames(headers);
    keep_private(headers);
}

/// Nobody but the box's own pages frames it. A browser holds itself to every policy that it is given, so
/// one more only adds; but it overlooks `X-Frame-Options` for the sake of a policy, which must therefore
/// say as much.
fn frames(headers: &mut HeaderMap) {
    let mut said = headers.get_all(X_FRAME_OPTIONS).iter().peekable();
    let unsaid = said.peek().is_none();
    // Anything but `SAMEORIGIN` is `DENY`, or a mistake that meant to forbid something.
    let denies = said.any(|value| !value.as_bytes().eq_ignore_ascii_case(b"sameorigin"));
    let spoken = headers.get_all(CONTENT_SECURITY_POLICY).iter().any(names_ancestors);
    let policy =
        if denies && !spoken { "frame-ancestors 'none'" } else { "frame-ancestors 'self'" };
    headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    if unsaid {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    }
}

fn names_ancestors(policies: &HeaderValue) -> bool {
    policies.as_bytes().split(|byte| matches!(byte, b';' | b',')).any(|directive| {
        let mut words = directive.trim_ascii().split(u8::is_ascii_whitespace);
        words.next().is_some_and(|name| name.eq_ignore_ascii_case(b"frame-ancestors"))
    })
}

/// Every answer is for one person who is signed in: no cache that others share may keep it, whatever it
/// says of itself, or a box could have it serve its pages to whoever asks next.
fn keep_private(headers: &mut HeaderMap) {
    let mut kept = vec!["private".to_owned()];
    for line in headers.get_all(CACHE_CONTROL) {
        let text = String::from_utf8_lossy(line.as_bytes());
        for directive in split(&text) {
            let name = directive.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
            let shared = matches!(name.as_str(), "public" | "s-maxage" | "proxy-revalidate");
            if !shared && !matches!(name.as_str(), "" | "private") {
                kept.push(directive.to_owned());
            }
        }
    }
    if let Ok(value) = HeaderValue::from_str(&kept.join(", ")) {
        headers.insert(CACHE_CONTROL, value);
    }
}

/// The directives of a list, whose values may be quoted and have commas of their own.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shielded(pairs: &[(&str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_static(value));
        }
        shield(&mut headers);
        headers
    }

    #[test]
    fn nobody_frames_a_box_but_itself_and_what_it_forbids_stays_forbidden() {
        for (said, added) in [
            (&[][..], "frame-ancestors 'self'"),
            (&[("x-frame-options", "SAMEORIGIN")], "frame-ancestors 'self'"),
            // A policy makes browsers overlook this one.
            (&[("x-frame-options", "DENY")], "frame-ancestors 'none'"),
            (&[("x-frame-options", "ALLOW-FROM https://a.b")], "frame-ancestors 'none'"),
            (&[("content-security-policy", "default-src 'self'")], "frame-ancestors 'self'"),
            (
                &[("x-frame-options", "deny"), ("content-security-policy", "default-src 'self'")],
                "frame-ancestors 'none'",
            ),
            (
                &[
                    ("x-frame-options", "DENY"),
                    ("content-security-policy", "default-src x, a; Frame-Ancestors\t'self'"),
                ],
                "frame-ancestors 'self'",
            ),
            (&[("content-security-policy", "frame-ancestors *")], "frame-ancestors 'self'"),
        ] {
            let headers = shielded(said);
            let policies: Vec<_> = headers.get_all(CONTENT_SECURITY_POLICY).iter().collect();
            assert_eq!(policies.last().unwrap(), &added, "{said:?}");
            let theirs = said.iter().filter(|(name, _)| name.starts_with("content")).count();
            assert_eq!(policies.len(), theirs + 1, "theirs is kept beside: {said:?}");
            assert!(headers.contains_key(X_FRAME_OPTIONS));
        }
    }

    #[test]
    fn what_the_engine_says_itself_is_kept() {
        let said = [
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-site"),
            ("x-frame-options", "DENY"),
        ];
        let headers = shielded(&said);
        for (name, value) in said {
            assert_eq!(headers.get_all(name).iter().collect::<Vec<_>>(), [value], "{name}");
        }
        assert_eq!(
            shielded(&[("x-content-type-options", "sniff")])["x-content-type-options"],
            "nosniff"
        );
    }

    #[test]
    fn no_shared_cache_keeps_an_answer() {
        for (said, then) in [
            (&[][..], "private"),
            (&["no-store"][..], "private, no-store"),
            (&["public, max-age=31536000, immutable"], "private, max-age=31536000, immutable"),
            (&["max-age=1", "S-MaxAge=99, no-cache"], "private, max-age=1, no-cache"),
            (&["private=\"x-a, public\", max-age=5"], "private, max-age=5"),
            (&["no-cache=\"set-cookie, x\", public"], "private, no-cache=\"set-cookie, x\""),
        ] {
            let mut headers = HeaderMap::new();
            for value in said {
                headers.append(CACHE_CONTROL, HeaderValue::from_static(value));
            }
            keep_private(&mut headers);
            assert_eq!(
                headers.get_all(CACHE_CONTROL).iter().collect::<Vec<_>>(),
                [then],
                "{said:?}"
            );
        }
    }
}
