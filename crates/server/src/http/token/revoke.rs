//! `DELETE /api/v1/tokens` and `DELETE /api/v1/tokens/{id}`: what was begun by one ends with it.

use axum::extract::{Path, State};
use http::StatusCode;

use super::one;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Revokes every token of the API of the account, and signs everybody out who came by one, by a link or
/// by the master token, but for who asks. People with a sign-in of their own stay signed in.
#[utoipa::path(
    delete,
    path = "/api/v1/tokens",
    tag = "tokens",
    operation_id = "revoke",
    responses((status = 204, description = "They are revoked.")),
)]
pub(super) async fn all(State(app): State<App>, who: Principal) -> Result<StatusCode, Trouble> {
    who.account()?;
    app.access.revoke_tokens(who.caller()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Revokes a token. Sessions and tokens that were begun by it end, and what they hold open is cut.
///
/// An owner revokes any of the account, everybody else their own; none that may more than the asker.
#[utoipa::path(
    delete,
    path = "/api/v1/tokens/{id}",
    tag = "tokens",
    operation_id = "remove",
    responses((status = 204, description = "It is revoked.")),
)]
pub(super) async fn one_of_them(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Trouble> {
    let token = one(&app, &who, &id).await?;
    match app.access.revoke_token(who.caller(), &token).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Trouble::missing("token")),
    }
}
