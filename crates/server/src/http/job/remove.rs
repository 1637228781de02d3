//! `DELETE /api/v1/jobs/{id}`: forgets a job that is over, before its time.

use axum::extract::{Path, State};
use http::StatusCode;

use super::get::find;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Forgets a job that is over, with its result and events.
#[utoipa::path(
    delete,
    path = "/api/v1/jobs/{id}",
    tag = "jobs",
    responses((status = 204, description = "It is forgotten.")),
)]
pub(super) async fn remove(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Trouble> {
    let job = find(&app, &who, &id).await?;
    app.control.forget_job(&who.actor, &job.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
