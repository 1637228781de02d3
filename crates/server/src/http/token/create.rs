//! `POST /api/v1/tokens`: makes a token. Its value is shown this once.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use smartbox_api::token::{MadeToken, NewToken};
use smartbox_core::person::Right;
use smartbox_core::token::Purpose;

use crate::access;
use crate::app::App;
use crate::http::body::JsonOrDefault;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Makes a token of the API. Its value is shown this once.
#[utoipa::path(
    post,
    path = "/api/v1/tokens",
    tag = "tokens",
    request_body = Option<NewToken>,
    responses((status = 201, body = MadeToken, description = "It is made.")),
)]
pub(super) async fn create(
    State(app): State<App>,
    who: Principal,
    JsonOrDefault(new): JsonOrDefault<NewToken>,
) -> Result<impl IntoResponse, Trouble> {
    let lasts = new.expires_secs.map(Duration::from_secs);
    let new = access::NewToken {
        name: String::new(),
        purpose: Purpose::Api,
        right: Right::Own,
        smartbox: None,
        lasts,
    };
    who.account()?;
    let made = app.access.new_token(who.caller(), new).await?;
    let shown =
        MadeToken { id: made.id, token: made.value.expose().clone(), expires: made.expires };
    Ok((StatusCode::CREATED, Json(shown)))
}
