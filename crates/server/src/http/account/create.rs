//! `POST /api/v1/accounts`: makes an account with its PA.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::LOCATION;
use smartbox_api::account::{AccountView, NewAccount};
use smartbox_api::paths;

use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Makes an account, and with it its PA.
///
/// For operators.
#[utoipa::path(
    post,
    path = "/api/v1/accounts",
    tag = "accounts",
    request_body = NewAccount,
    responses((status = 201, body = AccountView, description = "It is made.",
        headers(("location" = String, description = "Where it can be looked at.")))),
)]
pub(super) async fn create(
    State(app): State<App>,
    who: Principal,
    Json(new): Json<NewAccount>,
) -> Result<impl IntoResponse, Trouble> {
    let new = smartbox_control::NewAccount {
        name: new.name,
        display: new.display_name.unwrap_or_default(),
        labels: new.labels,
    };
    let (account, _) = app.control.new_account(&who.actor, new, app.about.desired).await?;
    let location = [(LOCATION, paths::account(&account.name))];
    Ok((StatusCode::CREATED, location, axum::Json(AccountView::from(account))))
}
