//! Refusals as OAuth words them: a device's own software reads them.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use smartbox_api::device::OAuthError;

/// A refusal with one of OAuth's words.
pub(super) fn refused(error: &str, description: &str) -> Response {
    let body = OAuthError { error: error.to_owned(), error_description: description.to_owned() };
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
