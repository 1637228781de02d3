//! How the platform tells an engine who is there: headers on the request, made by the edge or the
//! adapter, believed by the engine because only the platform reaches its port.
//!
//! Nothing of this is a credential: the engine checks that [`REQUIRED`] is present, not what it
//! says. So the edge must remove every header with [`PREFIX`] and every forwarded header that comes
//! from outside before it adds these.

use http::header::{HeaderName, HeaderValue};

/// Every identity header begins with this; none from outside may pass.
pub const PREFIX: &str = "x-smartbox-";
/// Names the person, like `me@smartbox`.
pub const USER: &str = "x-smartbox-user";
/// Must be present; says by which way the request came.
pub const REQUIRED: &str = "x-smartbox-via";
/// Caps what a person may in the engine; without it they may everything.
pub const SCOPES: &str = "x-openclaw-scopes";
/// Of those who only look.
pub const READS: &str = "operator.read";
/// Of those who also write.
pub const CHATS: &str = "operator.read,operator.write";
/// The address that requests are said to come from: one of those reserved for documentation. The
/// engine answers 403 to a forwarded loopback address, and a real one is none of its business.
pub const FORWARDED_FOR: &str = "192.0.2.1";
/// Who the platform is when it speaks for the box's owner: messages of `smartbox chat` and of
/// channels, suspending, reading the history. The same name as in the owner's browser: by another one the
/// engine's page would show one person as two. Without an `@`, since of an address the engine asks Gravatar
/// for a picture.
pub const PLATFORM: &str = "owner";
/// The origin that the platform's own connections carry; always allowed, reachable by no browser
/// (`.invalid` is reserved).
pub const ORIGIN: &str = "http://platform.smartbox.invalid";

/// The text cannot be a person's name in a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an engine user's name is 1 to 128 visible ASCII characters without spaces and commas")]
pub struct BadUser;

/// The headers for one person. Set them, don't append: nothing of the same name may remain.
pub fn headers(user: &str) -> Result<[(HeaderName, HeaderValue); 4], BadUser> {
    let plain = |b: u8| b.is_ascii_graphic() && b != b',';
    if user.is_empty() || user.len() > 128 || !user.bytes().all(plain) {
        return Err(BadUser);
    }
    let user = HeaderValue::from_str(user).map_err(|_| BadUser)?;
    Ok([
        (HeaderName::from_static(USER), user),
        (HeaderName::from_static(REQUIRED), HeaderValue::from_static("platform")),
        (HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static(FORWARDED_FOR)),
        (HeaderName::from_static("x-forwarded-proto"), HeaderValue::from_static("https")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_headers_share_the_prefix_that_the_edge_removes() {
        assert!(USER.starts_with(PREFIX) && REQUIRED.starts_with(PREFIX));
    }

    #[test]
    fn a_name_cannot_smuggle_a_header_or_a_second_name() {
        for bad in ["", "a b", "a\r\nx-smartbox-user: b", "a,b", "ä", &"a".repeat(129)] {
            assert_eq!(headers(bad), Err(BadUser), "{bad}");
        }
        assert_eq!(headers("me@smartbox").unwrap()[0].1, "me@smartbox");
    }
}
