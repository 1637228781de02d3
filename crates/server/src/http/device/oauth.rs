//! Refusals as OAuth words them: a device's own software reads them.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use smartbox_api::device::OAuthError;

use crate::http::trouble::Trouble;

/// A refusal with one of OAuth's words.
pub(super) fn refused(error: &str, description: &str) -> Response {
    let body = OAuthError { error: error.to_owned(), error_description: description.to_owned() };
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// The refusal of a proof; of one that came too soon as everywhere.
pub(super) fn unproven(why: Trouble) -> Result<Response, Trouble> {
    match why.problem().status {
        429 => Err(why),
        _ => Ok(refused("invalid_dpop_proof", &why.problem().detail)),
    }
}
