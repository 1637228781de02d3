//! Bodies of requests: read whole, within the route's bound and within half a minute.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Extensions, HeaderMap};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use smartbox_api::config::MERGE_PATCH;
use smartbox_api::problem::Code;

use super::route::Limit;
use super::trouble::Trouble;

const PATIENCE: Duration = Duration::from_secs(30);

/// A JSON document.
pub(super) struct Json<T>(pub(super) T);

/// A JSON document that is merged into another.
pub(super) struct MergePatch(pub(super) serde_json::Value);

/// A JSON document, or the type's default if the body is empty.
pub(super) struct JsonOrDefault<T>(pub(super) T);

/// A form.
pub(super) struct Form<T>(pub(super) T);

/// The query.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Trouble;

    async fn from_request(request: Request, _: &S) -> Result<Self, Trouble> {
        if !is(request.headers(), "application/json") {
            let hint = "send `Content-Type: application/json`";
            return Err(Trouble::new(Code::UnsupportedMediaType, "the body is not JSON", hint));
        }
        parse(&read(request).await?).map(Self)
    }
}

impl<S: Sync> FromRequest<S> for MergePatch {
    type Rejection = Trouble;

    async fn from_request(request: Request, _: &S) -> Result<Self, Trouble> {
        let headers = request.headers();
        if !is(headers, "application/json") && !is(headers, MERGE_PATCH) {
            let hint = "send `Content-Type: application/merge-patch+json`";
            return Err(Trouble::new(Code::UnsupportedMediaType, "the body is no patch", hint));
        }
        parse(&read(request).await?).map(Self)
    }
}

impl<T: DeserializeOwned + Default, S: Sync> FromRequest<S> for JsonOrDefault<T> {
    type Rejection = Trouble;

    async fn from_request(request: Request, state: &S) -> Result<Self, Trouble> {
        if request.headers().contains_key(CONTENT_TYPE) {
            return Json::from_request(request, state).await.map(|Json(value)| Self(value));
        }
        match read(request).await? {
            bytes if bytes.is_empty() => Ok(Self(T::default())),
            _ => Err(Trouble::new(
                Code::UnsupportedMediaType,
                "the body has no media type",
                "send `Content-Type: application/json`",
            )),
        }
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Form<T> {
    type Rejection = Trouble;

    async fn from_request(request: Request, _: &S) -> Result<Self, Trouble> {
        if !is(request.headers(), "application/x-www-form-urlencoded") {
            return Err(Trouble::new(Code::UnsupportedMediaType, "the body is not a form", ""));
        }
        let bytes = read(request).await?;
        serde_urlencoded::from_bytes(&bytes).map(Self).map_err(|e| bad(&e))
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        let query = parts.uri.query().unwrap_or_default();
        serde_urlencoded::from_str(query).map(Self).map_err(|e| bad(&e))
    }
}

fn is(headers: &HeaderMap, wanted: &str) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split(';').next())
        .is_some_and(|media| media.trim().eq_ignore_ascii_case(wanted))
}

async fn read(request: Request) -> Result<Bytes, Trouble> {
    let (parts, body) = request.into_parts();
    whole(&parts.extensions, body).await
}

/// The whole body of a request with these extensions: the guard has put the route's bound there.
pub(super) async fn whole(extensions: &Extensions, body: Body) -> Result<Bytes, Trouble> {
    let limit = match extensions.get::<Limit>() {
        Some(Limit::Bytes(limit)) => *limit,
        Some(Limit::Stream) | None => 0,
    };
    let whole = Limited::new(body, limit).collect();
    match tokio::time::timeout(PATIENCE, whole).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Trouble::too_large(limit)),
        Ok(Err(_)) => Err(Trouble::new(Code::BadRequest, "the body broke off", "")),
        Err(_) => Err(Trouble::new(Code::BadRequest, "the body came too slowly", "")),
    }
}

/// serde's words name the field, and never its value's text beyond what was sent.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(bytes).map_err(|error| {
        // The value of a wrong secret must not come back: only the place and the kind of error.
        let kind = match error.classify() {
            serde_json::error::Category::Data => field_error(&error),
            _ => "the body is not JSON".to_owned(),
        };
        let place = format!("line {}, column {}", error.line(), error.column());
        Trouble::new(Code::BadRequest, format!("{kind} ({place})"), "")
    })
}

fn field_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let names_a_key = ["unknown field", "missing field", "duplicate field"]
        .iter()
        .any(|beginning| text.starts_with(beginning));
    if names_a_key {
        text.split(" at line ").next().unwrap_or_default().to_owned()
    } else {
        "a value is not of the kind that belongs there".to_owned()
    }
}

fn bad(error: &serde_urlencoded::de::Error) -> Trouble {
    let text = error.to_string();
    let detail = if text.contains("field") { text } else { "a value is not understood".into() };
    Trouble::new(Code::BadRequest, detail, "")
}
