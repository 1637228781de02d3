//! The head of an answer to a call that used a secret.

use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HeaderMap, TRANSFER_ENCODING,
};
use http::{HeaderName, HeaderValue, StatusCode, response};

use super::{Coding, Scrub};

/// An answer that cannot be looked through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its coding is not known, or it has several.
    #[error(
        "the answer is coded as `{0}`; to a call that uses a secret only gzip, br or zstd can be passed on"
    )]
    Coding(String),
    /// It is a part.
    #[error(
        "the answer is a part of something; to a call that uses a secret only a whole can be passed on"
    )]
    Partial,
}

impl Scrub {
    /// Makes the head of an answer one that a box may see: values masked, and as the body will be once
    /// it is decoded. How the body is coded.
    pub fn answer(&self, head: &mut response::Parts) -> Result<Coding, Refused> {
        if head.status == StatusCode::PARTIAL_CONTENT {
            return Err(Refused::Partial);
        }
        let transfer = named(&head.headers, &TRANSFER_ENCODING);
        if transfer.iter().any(|name| !name.eq_ignore_ascii_case("chunked")) {
            return Err(self.coding(&transfer));
        }
        let codings = named(&head.headers, &CONTENT_ENCODING);
        let coding = match codings.as_slice() {
            [] => Coding::Identity,
            [one] => Coding::parse(one).ok_or_else(|| self.coding(&codings))?,
            _ => return Err(self.coding(&codings)),
        };
        if coding != Coding::Identity {
            decoded(&mut head.headers);
        }
        head.headers.remove(ACCEPT_RANGES);
        self.headers(&mut head.headers);
        Ok(coding)
    }

    /// The names that a server gave, for a person; a server may write anything there.
    fn coding(&self, names: &[String]) -> Refused {
        let text = names.join(", ");
        let text = self.mask(text.as_bytes()).unwrap_or(text.into_bytes());
        let text = String::from_utf8_lossy(&text);
        Refused::Coding(text.chars().take(80).filter(|c| !c.is_control()).collect())
    }
}

/// What a list in a header names, each header of the name read.
fn named(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let values = headers.get_all(name).iter();
    let texts = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let texts: Vec<String> = texts.collect();
    let names = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Without what is true of the coded body alone.
fn decoded(headers: &mut HeaderMap) {
    for name in [CONTENT_ENCODING, CONTENT_LENGTH] {
        headers.remove(name);
    }
    for name in ["content-md5", "digest", "content-digest", "repr-digest"] {
        headers.remove(name);
    }
    // The bytes differ from those that the server has under this tag, the meaning does not.
    let etag = headers.get(ETAG).filter(|etag| !etag.as_bytes().starts_with(b"W/"));
    if let Some(etag) = etag {
        let weak = HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat());
        match weak {
            Ok(weak) => drop(headers.insert(ETAG, weak)),
            Err(_) => drop(headers.remove(ETAG)),
        }
    }
}

#[cfg(test)]
mod tests {
    use smartbox_core::secret::Secret;

    use super::*;

    const VALUE: &str = "Real/Value+1";

    fn answer(status: u16, headers: &[(&str, &str)]) -> (Result<Coding, Refused>, response::Parts) {
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let (mut head, ()) = response.body(()).unwrap().into_parts();
        let scrub = Scrub::new([&Secret::new(VALUE.to_owned())]).unwrap();
        (scrub.answer(&mut head), head)
    }

    #[test]
    fn a_decoded_answer_says_nothing_of_its_coding() {
        let (coding, head) = answer(
            200,
            &[
                ("content-encoding", "GZip"),
                ("content-length", "10"),
                ("etag", "\"a\""),
                ("repr-digest", "sha-256=:x:"),
                ("accept-ranges", "bytes"),
            ],
        );
        assert_eq!(coding, Ok(Coding::Gzip));
        assert_eq!(head.headers.len(), 1);
        assert_eq!(head.headers["etag"], "W/\"a\"");
    }

    #[test]
    fn an_answer_that_is_not_coded_keeps_its_length_and_tag() {
        let (coding, head) = answer(
            200,
            &[("content-encoding", "identity"), ("content-length", "10"), ("etag", "\"a\"")],
        );
        assert_eq!(coding, Ok(Coding::Identity));
        assert_eq!(
            (&head.headers["content-length"], &head.headers["etag"]),
            (&HeaderValue::from_static("10"), &HeaderValue::from_static("\"a\""),)
        );
    }

    #[test]
    fn what_cannot_be_looked_through_is_refused() {
        for headers in [
            &[("content-encoding", "deflate")][..],
            &[("content-encoding", "gzip, gzip")],
            &[("content-encoding", "gzip"), ("content-encoding", "br")],
            &[("transfer-encoding", "gzip, chunked")],
        ] {
            assert!(matches!(answer(200, headers).0, Err(Refused::Coding(_))), "{headers:?}");
        }
        assert_eq!(answer(206, &[]).0, Err(Refused::Partial));
        let refused = answer(200, &[("content-encoding", VALUE)]).0.unwrap_err();
        assert!(!refused.to_string().contains(VALUE), "{refused}");
    }

    #[test]
    fn a_value_stands_in_no_header_of_an_answer() {
        let (_, head) = answer(
            302,
            &[
                ("location", "https://evil.example/?t=Real%2fValue%2B1&x"),
                ("x-basic", "Basic dTpSZWFsL1ZhbHVlKzE="),
                ("x-json", r#"{"t":"Real\/Value+1"}"#),
                ("x-plain", VALUE),
            ],
        );
        assert_eq!(head.headers["location"], "https://evil.example/?t=****************&x");
        assert_eq!(head.headers["x-json"], r#"{"t":"*************"}"#);
        assert_eq!(head.headers["x-plain"], "************");
        assert_eq!(head.headers["x-basic"], "Basic dTp***************E=");
        let named = Secret::new("Header-Name".to_owned());
        let mut headers = HeaderMap::new();
        headers.insert("x-header-name-x", HeaderValue::from_static("1"));
        assert_eq!(Scrub::new([&named]).unwrap().headers(&mut headers), 1);
        assert!(headers.is_empty());
    }
}
