//! `GET /api/v1/boxes/{name}/files/content`: a file's bytes, or a range of them (RFC 9110, RFC 9530).

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use smartbox_api::file::{CONTENT, FileQuery, digest_header};
use smartbox_api::paths;
use smartbox_api::problem::Code;
use smartbox_core::home::FileEntry;

use super::{path, view};
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
const WANT_REPR_DIGEST: HeaderName = HeaderName::from_static("want-repr-digest");
/// What a browser may do with it: nothing.
pub(in crate::http) const SANDBOX: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// A file's bytes, or a range of them.
///
/// Wakes nothing. Range, If-Range, If-Match and If-None-Match are heeded. With
/// `Want-Repr-Digest: sha-256=1` the reply has the `Repr-Digest` of the whole file, which is read
/// once for it before the first byte goes out.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/files/content",
    tag = "files",
    params(FileQuery),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream",
            description = "The whole file, always as a download.",
            headers(("etag" = String, description = "Its entity tag."))),
        (status = 206, body = Vec<u8>, content_type = "application/octet-stream",
            description = "The range that was asked for."),
        (status = 304, description = "It is what `If-None-Match` names."),
    ),
)]
pub(super) async fn read(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    uri: Uri,
    Query(_checked): Query<FileQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let path = path::of(&uri)?;
    let file = app.control.open_file(&row.id, path).await?;
    let entry = file.entry();
    if view::tags(&headers, &IF_MATCH)?.is_some_and(|tags| !tags.fit(entry)) {
        let detail = "the file is not the one that `If-Match` names";
        return Err(Trouble::new(Code::PreconditionFailed, detail, "look at it again"));
    }
    let tag = (ETAG, view::etag(entry));
    if view::tags(&headers, &IF_NONE_MATCH)?.is_some_and(|tags| tags.fit(entry)) {
        return Ok((StatusCode::NOT_MODIFIED, [tag]).into_response());
    }
    let part = part(&headers, entry)?;
    let mut response = if method == Method::HEAD {
        Body::empty().into_response()
    } else {
        let bytes = file.pieces(part.from, part.len);
        Body::from_stream(bytes.map_err(std::io::Error::other)).into_response()
    };
    let out = response.headers_mut();
    out.insert(CONTENT_LENGTH, part.len.into());
    out.insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT));
    out.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    out.insert(CONTENT_DISPOSITION, attachment(&entry.name));
    out.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    insert(out, ETAG, &tag.1);
    if wants_digest(&headers) {
        let digest = app.control.digest(&*file).await?;
        insert(out, REPR_DIGEST, &digest_header(&digest));
    }
    if part.ranged {
        let last = part.from + part.len.saturating_sub(1);
        insert(out, CONTENT_RANGE, &format!("bytes {}-{last}/{}", part.from, entry.size));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

pub(super) fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Its name is the box's word: nothing of it but its letters gets into the header.
pub(in crate::http) fn attachment(name: &[u8]) -> HeaderValue {
    let text = String::from_utf8_lossy(name);
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    let value = format!("attachment; filename*=UTF-8''{}", paths::segment(&plain));
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

fn wants_digest(headers: &HeaderMap) -> bool {
    let wanted = headers.get(WANT_REPR_DIGEST).and_then(|value| value.to_str().ok());
    let names = |part: &str| {
        let (name, weight) = part.trim().split_once('=').unwrap_or((part.trim(), "1"));
        name == "sha-256" && weight.trim() != "0"
    };
    wanted.is_some_and(|text| text.split(',').any(names))
}

/// Which bytes to send.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    from: u64,
    len: u64,
    ranged: bool,
}

/// A range that is not understood, or several, are as none: that is what the standard says.
fn part(headers: &HeaderMap, entry: &FileEntry) -> Result<Part, Trouble> {
    let size = entry.size;
    let whole = Part { from: 0, len: size, ranged: false };
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(IF_RANGE).is_some_and(|tag| tag.trim() != view::etag(entry)) {
        return Ok(whole);
    }
    let Some((first, last)) = text(RANGE)
        .and_then(|range| range.trim().strip_prefix("bytes="))
        .and_then(|range| range.trim().split_once('-'))
    else {
        return Ok(whole);
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>());
    let (from, len) = match (first, last) {
        ("", last) => match digits(last) {
            Some(Ok(count)) => (size - count.min(size), count.min(size)),
            _ => return Ok(whole),
        },
        (first, last) => match (digits(first), digits(last)) {
            (Some(Ok(from)), _) if last.is_empty() => (from, size.saturating_sub(from)),
            (Some(Ok(from)), Some(Ok(last))) if last >= from => {
                (from, size.saturating_sub(from).min((last - from).saturating_add(1)))
            }
            _ => return Ok(whole),
        },
    };
    if len == 0 {
        let detail = format!("the file has {size} bytes, none of them in that range");
        return Err(Trouble::new(Code::BadRange, detail, "ask for bytes that it has"));
    }
    Ok(Part { from, len, ranged: true })
}

#[cfg(test)]
mod tests {
    use smartbox_core::home::FileKind;
    use smartbox_core::time::Timestamp;

    use super::*;

    fn of(range: &str, if_range: Option<&str>) -> Result<(u64, u64, bool), Trouble> {
        let entry = FileEntry {
            name: b"f".to_vec(),
            kind: FileKind::File,
            size: 100,
            mode: 0o600,
            modified: Timestamp(0),
            tag: "tag".into(),
            target: None,
        };
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().unwrap());
        if let Some(tag) = if_range {
            headers.insert(IF_RANGE, tag.parse().unwrap());
        }
        part(&headers, &entry).map(|part| (part.from, part.len, part.ranged))
    }

    #[test]
    fn ranges_are_what_the_standard_says() {
        assert_eq!(of("bytes=0-0", None).unwrap(), (0, 1, true));
        assert_eq!(of("bytes=10-19", None).unwrap(), (10, 10, true));
        assert_eq!(of("bytes=90-", None).unwrap(), (90, 10, true));
        assert_eq!(of("bytes=90-999", None).unwrap(), (90, 10, true));
        assert_eq!(of("bytes=-7", None).unwrap(), (93, 7, true));
        assert_eq!(of("bytes=-700", None).unwrap(), (0, 100, true));
        for none in ["bytes=", "bytes=a-b", "bytes=9-3", "bytes=0-1,5-6", "lines=1-2", "bytes=-"] {
            assert_eq!(of(none, None).unwrap(), (0, 100, false), "{none}");
        }
        for beyond in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert!(of(beyond, None).is_err(), "{beyond}");
        }
        assert_eq!(of("bytes=0-0", Some("\"tag\"")).unwrap(), (0, 1, true));
        for other in ["\"other\"", "W/\"tag\"", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            assert_eq!(of("bytes=0-0", Some(other)).unwrap(), (0, 100, false), "{other}");
        }
    }

    #[test]
    fn a_hostile_name_stays_within_its_quotes() {
        let value = attachment(b"a\r\nSet-Cookie: x\"; filename=evil.html\xff");
        let text = value.to_str().unwrap();
        assert!(!text.contains(['\r', '\n', '"']) && !text[12..].contains("; filename="), "{text}");
    }
}
