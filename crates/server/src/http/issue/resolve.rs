//! `POST /api/v1/issues/{id}/resolve`: a person says that it is over.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::issue::Issue;
use smartbox_api::problem::Code;
use smartbox_core::id::IssueId;

use super::seen_by;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Says that an issue is over. If its cause is there still, it is opened again when it shows.
#[utoipa::path(
    post,
    path = "/api/v1/issues/{id}/resolve",
    tag = "issues",
    responses((status = 200, body = Issue, description = "The issue, resolved.")),
)]
pub(super) async fn resolve(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<Issue>, Trouble> {
    let id: IssueId = id.parse().map_err(|error: smartbox_core::id::BadId| {
        Trouble::new(
            Code::BadName,
            error.to_string(),
            "`smartbox issues` shows those that there are",
        )
    })?;
    let issue = app.control.resolve_issue(&who.actor, seen_by(&who)?.as_ref(), id).await?;
    Ok(Json(issue))
}
