//! Whether a call carries its box's token. Which box it is, the listener says; a token of another
//! box is as wrong as none.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use smartbox_core::model::Caller;
use subtle::ConstantTimeEq;

/// The header in which Anthropic's clients send their key.
pub(crate) const X_API_KEY: &str = "x-api-key";

/// Whether one of the headers holds the caller's token. Compared in constant time.
pub(crate) fn is_caller(headers: &HeaderMap, caller: &Caller) -> bool {
    let token = caller.token.expose().as_bytes();
    let keys = headers.get_all(X_API_KEY).iter().map(http::HeaderValue::as_bytes);
    let bearers =
        headers.get_all(AUTHORIZATION).iter().filter_map(|value| bearer(value.as_bytes()));
    let mut matches = false;
    for given in keys.chain(bearers) {
        matches |= bool::from(given.ct_eq(token));
    }
    matches && !token.is_empty()
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use smartbox_core::secret::Secret;

    use super::*;

    fn with(token: &str, name: &'static str, value: &str) -> bool {
        let caller = Caller {
            id: "box_00000000000000000001".parse().unwrap(),
            token: Secret::new(token.to_owned()),
            demo: false,
        };
        let mut headers = HeaderMap::new();
        headers.append(name, HeaderValue::from_str(value).unwrap());
        is_caller(&headers, &caller)
    }

    #[test]
    fn the_token_is_taken_from_either_header() {
        assert!(with("right", "x-api-key", "right"));
        assert!(with("right", "authorization", "Bearer right"));
        assert!(with("right", "authorization", "bearer  right"));
    }

    #[test]
    fn anything_else_is_refused() {
        for value in ["", "wrong", "righ", "right2", "Bearer right", "RIGHT"] {
            assert!(!with("right", "x-api-key", value), "{value}");
        }
        for value in ["right", "Basic right", "Bearer", "Bearer wrong", "Bearer right right"] {
            assert!(!with("right", "authorization", value), "{value}");
        }
    }

    #[test]
    fn a_caller_without_a_token_matches_nothing() {
        assert!(!with("", "x-api-key", ""));
        assert!(!with("", "authorization", "Bearer "));
    }
}
