//! The session cookie of the platform's origin.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use smartbox_core::secret::Secret;

/// Values under our name in a request; at most four, since a sibling host may have added some.
pub(super) fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    up_to(headers, name, 256)
}

/// The same, of a cookie that holds more than a name for something.
pub(super) fn long<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    up_to(headers, name, 16 << 10)
}

fn up_to<'h>(headers: &'h HeaderMap, name: &str, longest: usize) -> Vec<&'h str> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, value)| key.trim() == name && (1..=longest).contains(&value.trim().len()))
        .map(|(_, value)| value.trim())
        .take(4)
        .collect()
}

/// A `Set-Cookie` that begins a session.
pub(super) fn begin(name: &str, value: &Secret<String>, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let value = value.expose();
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000{secure}");
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// A `Set-Cookie` of something that is needed again within minutes, when another site leads back.
pub(super) fn keep(name: &str, value: &str, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=900{secure}");
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// A `Set-Cookie` that ends it.
pub(super) fn end(name: &str, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}"))
        .ok()
}
