//! `GET /api/v1/accounts/{account}`: one account; its own for whoever is no operator.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::account::AccountView;

use crate::app::App;
use crate::http::principal::Principal;
use crate::http::revision::Revision;
use crate::http::trouble::Trouble;

/// One account.
///
/// Operators see each, everybody else their own alone.
#[utoipa::path(
    get,
    path = "/api/v1/accounts/{account}",
    tag = "accounts",
    responses((status = 200, body = AccountView, description = "The account.",
        headers(("etag" = String, description = "Its revision.")))),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path(account): Path<String>,
) -> Result<(Revision, Json<AccountView>), Trouble> {
    let found = app.control.account(&account).await?;
    // Whoever has one of its smartboxes and nothing else has nothing of the account.
    let theirs = who.account().is_ok_and(|account| *account == found.id);
    if !who.operates() && !theirs {
        return Err(Trouble::missing("account"));
    }
    Ok((Revision(found.revision), Json(found.into())))
}
