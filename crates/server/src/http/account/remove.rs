//! `DELETE /api/v1/accounts/{account}`: removes an account. Answers once it is gone, or once that
//! has taken longer than a person waits; it is then still on its way out.

use std::time::Duration;

use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_api::account::{AccountRemoval, BoxesOfIt};
use smartbox_api::problem::Code;

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::revision::IfMatch;
use crate::http::trouble::Trouble;

const PATIENCE: Duration = Duration::from_mins(1);

/// Removes an account for good. Its audit is kept.
///
/// For operators. It must have no smartbox, or they may go too: `boxes=remove`.
#[utoipa::path(
    delete,
    path = "/api/v1/accounts/{account}",
    tag = "accounts",
    params(AccountRemoval, IfMatch),
    responses(
        (status = 202, description = "It goes once the last of its smartboxes is gone."),
        (status = 204, description = "It is gone."),
    ),
)]
pub(super) async fn remove(
    State(app): State<App>,
    who: Principal,
    Path(account): Path<String>,
    Query(how): Query<AccountRemoval>,
    seen: IfMatch,
) -> Result<StatusCode, Trouble> {
    let found = app.control.account(&account).await?;
    if found.id == app.account.id {
        let detail = "the account of the platform's own command line cannot be removed";
        return Err(Trouble::new(Code::Refused, detail, "remove its smartboxes instead"));
    }
    let expected = seen.expect(found.revision)?;
    let boxes = how.boxes == Some(BoxesOfIt::Remove);
    let (control, actor) = (app.control.clone(), who.actor.clone());
    let work = async move { control.remove_account(&actor, &found.id, boxes, expected).await };
    let rows = app.access.to_the_end(work).await??;
    let gone = app.control.gone(&rows, PATIENCE).await;
    Ok(if gone { StatusCode::NO_CONTENT } else { StatusCode::ACCEPTED })
}
