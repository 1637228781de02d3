//! `PATCH /api/v1/accounts/{account}`: changes an account.

use axum::extract::{Path, State};
use smartbox_api::account::{AccountChange, AccountView};
use smartbox_api::problem::Code;

use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::revision::{IfMatch, Revision};
use crate::http::trouble::Trouble;

/// Changes an account. What is absent stays.
///
/// For operators. Disabled, its smartboxes stand still and its tokens and sessions are refused;
/// what its owners wish stays as it is, and holds again once it is enabled.
#[utoipa::path(
    patch,
    path = "/api/v1/accounts/{account}",
    tag = "accounts",
    params(IfMatch),
    request_body = AccountChange,
    responses((status = 200, body = AccountView, description = "The account as it is now.",
        headers(("etag" = String, description = "Its revision.")))),
)]
pub(super) async fn change(
    State(app): State<App>,
    who: Principal,
    Path(account): Path<String>,
    seen: IfMatch,
    Json(change): Json<AccountChange>,
) -> Result<(Revision, axum::Json<AccountView>), Trouble> {
    let found = app.control.account(&account).await?;
    if change.disabled == Some(true) && found.id == app.account.id {
        let hint = "stop its smartboxes one by one, or end `smartbox up`";
        let detail = "the account of the platform's own command line cannot be disabled";
        return Err(Trouble::new(Code::Refused, detail, hint));
    }
    let expected = seen.expect(found.revision)?;
    let change = smartbox_control::AccountChange {
        display: change.display_name,
        labels: change.labels.into_iter().collect(),
        disabled: change.disabled,
    };
    let (control, actor) = (app.control.clone(), who.actor.clone());
    let work = async move { control.change_account(&actor, &found.id, change, expected).await };
    let changed = app.access.to_the_end(work).await??;
    Ok((Revision(changed.revision), axum::Json(changed.into())))
}
