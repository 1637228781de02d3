//! `DELETE /api/v1/tokens`: revokes every token of the API of the account.

use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Revokes every token of the API of the account.
#[utoipa::path(
    delete,
    path = "/api/v1/tokens",
    tag = "tokens",
    responses((status = 204, description = "They are revoked.")),
)]
pub(super) async fn revoke(State(app): State<App>, who: Principal) -> Result<StatusCode, Trouble> {
    who.account()?;
    app.access.revoke_tokens(who.caller()).await?;
    Ok(StatusCode::NO_CONTENT)
}
