//! A reply as it is kept: what a second asker needs of it.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use smartbox_api::problem::Problem;
use smartbox_core::reply::MAX_REPLY;
use smartbox_core::secret::Secret;

/// The headers that belong to what was done; the others belong to one answer.
const HEADERS: [HeaderName; 3] = [CONTENT_TYPE, ETAG, LOCATION];

#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// The reply, to be sent, and as text, to be kept; without that if it is a stream, too long, or not
/// text.
pub(super) async fn write(reply: Response) -> (Response, Option<Secret<String>>) {
    let length = reply.body().size_hint().exact();
    if length.is_none_or(|length| length > MAX_REPLY as u64) {
        return (reply, None);
    }
    let (parts, body) = reply.into_parts();
    // Its length is known, so it is there: nothing is waited for.
    let Ok(bytes) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return (StatusCode::INTERNAL_SERVER_ERROR.into_response(), None);
    };
    let text = std::str::from_utf8(&bytes).ok().and_then(|body| {
        let header = |name: &HeaderName| {
            let value = parts.headers.get(name)?.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        };
        let kept = Kept {
            status: parts.status.as_u16(),
            headers: HEADERS.iter().filter_map(header).collect(),
            body: body.to_owned(),
            problem: parts.extensions.get::<Problem>().cloned(),
        };
        serde_json::to_string(&kept).ok().map(Secret::new)
    });
    (Response::from_parts(parts, Body::from(bytes)), text)
}

/// The reply again. A problem gets the id of the request that it answers now.
pub(super) fn read(text: &str) -> Option<Response> {
    let kept: Kept = serde_json::from_str(text).ok()?;
    let mut reply = (StatusCode::from_u16(kept.status).ok()?, kept.body).into_response();
    reply.headers_mut().remove(CONTENT_TYPE);
    for (name, value) in kept.headers {
        let name = HeaderName::try_from(name).ok()?;
        reply.headers_mut().insert(name, HeaderValue::try_from(value).ok()?);
    }
    if let Some(problem) = kept.problem {
        reply.extensions_mut().insert(problem);
    }
    Some(reply)
}
