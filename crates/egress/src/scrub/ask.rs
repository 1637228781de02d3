//! What a request that carries a secret may ask for: only answers that can be looked through.

use http::header::{ACCEPT_ENCODING, IF_RANGE, RANGE, SEC_WEBSOCKET_EXTENSIONS, TE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Coding;

/// Limits the headers of a request that carries a secret.
pub fn ask(headers: &mut HeaderMap) {
    let wanted: Vec<&str> = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|one| {
            let name = one.split(';').next().unwrap_or_default();
            !name.trim().is_empty() && Coding::parse(name).is_some()
        })
        .collect();
    // Without the header a server may choose any coding that there is.
    let wanted = if wanted.is_empty() { "identity".to_owned() } else { wanted.join(", ") };
    let wanted = HeaderValue::try_from(wanted).unwrap_or(HeaderValue::from_static("identity"));
    headers.insert(ACCEPT_ENCODING, wanted);
    // Parts of an answer, differences between two (RFC 3229), and codings of the transfer.
    for name in [RANGE, IF_RANGE, TE, SEC_WEBSOCKET_EXTENSIONS, HeaderName::from_static("a-im")] {
        headers.remove(name);
    }
    // By these some servers read another path or method than the one that was judged.
    for name in [
        "x-original-url",
        "x-rewrite-url",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
    ] {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_only_for_what_can_be_read() {
        for (given, asked) in [
            (&["gzip, deflate, br"][..], "gzip, br"),
            (&["zstd;q=1.0, *;q=0.1", "X-GZIP"], "zstd;q=1.0, X-GZIP"),
            (&["dcb, dcz, compress"], "identity"),
            (&["identity;q=0"], "identity;q=0"),
            (&[""], "identity"),
            (&[], "identity"),
        ] {
            let mut headers = HeaderMap::new();
            for value in given {
                headers.append(ACCEPT_ENCODING, HeaderValue::from_static(value));
            }
            headers.insert(RANGE, HeaderValue::from_static("bytes=0-9"));
            ask(&mut headers);
            assert_eq!(headers.get(ACCEPT_ENCODING).unwrap(), asked);
            assert_eq!(headers.len(), 1, "{headers:?}");
        }
    }
}
