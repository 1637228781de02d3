//! Paths in queries: any bytes, percent-encoded. serde would make text of them, and lose some.

use http::Uri;
use smartbox_api::problem::Code;
use smartbox_core::home::FilePath;

use crate::http::trouble::Trouble;

/// The value of `path`; the home itself if it is absent.
pub(in crate::http) fn of(uri: &Uri) -> Result<FilePath, Trouble> {
    let query = uri.query().unwrap_or_default();
    let value = query.split('&').find_map(|pair| pair.strip_prefix("path="));
    decode(value.unwrap_or_default()).map(FilePath).ok_or_else(|| {
        Trouble::new(Code::BadRequest, "the path's percent-encoding is not understood", "")
    })
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => byte,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_come_through_and_nothing_twice() {
        assert_eq!(decode("a%2Fb+c%20%ff").unwrap(), b"a/b c \xff");
        assert_eq!(decode("%252e%252e").unwrap(), b"%2e%2e");
        for bad in ["%", "%2", "%zz", "%+1"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        let path = |uri: &str| of(&uri.parse().unwrap()).unwrap().0;
        assert_eq!(path("/x?mode=1&path=a"), b"a");
        assert_eq!(path("/x"), b"");
    }
}
