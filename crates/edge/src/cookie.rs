//! The session cookie: found, hidden from the engine, made and ended. And what the engine may set.

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use crate::settings::Scheme;

/// Candidates looked at in one request. A sibling box can add cookies of our name for a whole
/// domain where there is no `__Host-` prefix, so the first is not always ours.
const CANDIDATES: usize = 4;

/// The cookie's name. Over https the prefix makes browsers refuse one from a sibling host.
pub(crate) const fn name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "smartbox_session",
        Scheme::Https => "__Host-smartbox_session",
    }
}

/// Ours, and those by which Cloudflare Access knows somebody: with them a box could pass for its visitor on
/// the platform's own origin.
const NAMES: [&str; 5] =
    [name(Scheme::Http), name(Scheme::Https), "CF_Authorization", "CF_AppSession", "CF_Binding"];

fn pairs(value: &str) -> impl Iterator<Item = &str> {
    value.split(';').map(str::trim).filter(|pair| !pair.is_empty())
}

fn named(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(name, _)| name.trim())
}

/// Values of our cookie in a request, in order.
pub(crate) fn candidates(headers: &HeaderMap, scheme: Scheme) -> impl Iterator<Item = &str> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(pairs)
        .filter_map(move |pair| {
            pair.split_once('=').filter(|(n, _)| n.trim() == name(scheme)).map(|(_, v)| v.trim())
        })
        .filter(|value| (1..=256).contains(&value.len()))
        .take(CANDIDATES)
}

/// Takes our cookies out of what the engine will see. Several `Cookie` lines (HTTP/2 sends one
/// per cookie) become one.
pub(crate) fn hide(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(COOKIE).iter();
    let (Some(first), second) = (lines.next(), lines.next()) else { return };
    let ours = |value: &HeaderValue| {
        let bytes = value.as_bytes();
        NAMES.iter().any(|n| bytes.windows(n.len()).any(|w| w.eq_ignore_ascii_case(n.as_bytes())))
    };
    if second.is_none() && !ours(first) {
        return;
    }
    let mut kept = Vec::new();
    for value in headers.get_all(COOKIE) {
        for pair in value.as_bytes().split(|b| *b == b';').map(<[u8]>::trim_ascii) {
            let name = pair.split(|b| *b == b'=').next().unwrap_or(pair).trim_ascii();
            if pair.is_empty() || NAMES.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes())) {
                continue;
            }
            if !kept.is_empty() {
                kept.extend_from_slice(b"; ");
            }
            kept.extend_from_slice(pair);
        }
    }
    headers.remove(COOKIE);
    if let (false, Ok(value)) = (kept.is_empty(), HeaderValue::from_bytes(&kept)) {
        headers.insert(COOKIE, value);
    }
}

/// A `Set-Cookie` that begins a session: for this host only, out of scripts' reach, and not sent
/// along with what other sites make a browser do.
pub(crate) fn begin(scheme: Scheme, value: &str) -> Option<HeaderValue> {
    let secure = if scheme == Scheme::Https { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}", name(scheme));
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// A `Set-Cookie` that ends it.
pub(crate) fn end(scheme: Scheme) -> Option<HeaderValue> {
    let secure = if scheme == Scheme::Https { "; Secure" } else { "" };
    let name = name(scheme);
    HeaderValue::from_str(&format!("{name}=; Path=/; HttpOnly; SameSite=Lax{secure}; Max-Age=0"))
        .ok()
}

/// Restricts what the engine sets: never our names, never for more than its own host.
pub(crate) fn restrict(headers: &mut HeaderMap) {
    if !headers.contains_key(SET_COOKIE) {
        return;
    }
    let kept: Vec<_> = headers.get_all(SET_COOKIE).iter().filter_map(restricted).collect();
    headers.remove(SET_COOKIE);
    for value in kept {
        headers.append(SET_COOKIE, value);
    }
}

fn restricted(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    let mut parts = text.split(';').map(str::trim);
    let pair = parts.next()?;
    // A cookie without a name is sent back as its bare value, which can look like one of ours.
    let nameless = !pair.contains('=') || named(pair).is_empty();
    if nameless || NAMES.iter().any(|n| named(pair).eq_ignore_ascii_case(n)) {
        return None;
    }
    let mut out = pair.to_owned();
    for attribute in parts.filter(|a| !named(a).eq_ignore_ascii_case("domain")) {
        out.push_str("; ");
        out.push_str(attribute);
    }
    HeaderValue::from_str(&out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|v| (COOKIE, HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn ours_is_found_among_others_and_after_a_tossed_one() {
        let map = cookies(&["a=1; smartbox_session=evil", "smartbox_session=good;b=2"]);
        assert_eq!(candidates(&map, Scheme::Http).collect::<Vec<_>>(), ["evil", "good"]);
        assert_eq!(candidates(&map, Scheme::Https).count(), 0);
    }

    #[test]
    fn the_engine_never_sees_ours() {
        for (before, after) in [
            (vec!["a=1; smartbox_session=x; b=2"], Some("a=1; b=2")),
            (vec!["a=1", "__Host-smartbox_session=x", "b=2"], Some("a=1; b=2")),
            (vec!["SmartBox_Session = x"], None),
            (vec!["smartbox_session"], None),
            (vec!["a=1; CF_Authorization=eyJ.x.y; b=2", "cf_appsession=x"], Some("a=1; b=2")),
            (vec!["a=1; b=2"], Some("a=1; b=2")),
            (vec!["a=smartbox_session"], Some("a=smartbox_session")),
        ] {
            let mut map = cookies(&before);
            hide(&mut map);
            assert_eq!(map.get(COOKIE).map(|v| v.to_str().unwrap()), after, "{before:?}");
            assert!(map.get_all(COOKIE).iter().count() <= 1);
        }
    }

    #[test]
    fn the_engine_sets_cookies_for_its_own_host_only() {
        let mut map = HeaderMap::new();
        for value in [
            "a=1; Domain=example.com; Path=/; HttpOnly",
            "smartbox_session=evil; Path=/",
            " __host-smartbox_session =evil; Path=/; Secure",
            "CF_Authorization=evil; Domain=example.com",
            "b=2;DOMAIN = .example.com",
            "=smartbox_session=evil",
            "smartbox_session",
        ] {
            map.append(SET_COOKIE, HeaderValue::from_static(value));
        }
        restrict(&mut map);
        let left: Vec<_> = map.get_all(SET_COOKIE).iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(left, ["a=1; Path=/; HttpOnly", "b=2"]);
    }
}
