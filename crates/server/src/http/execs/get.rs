//! `GET /api/v1/boxes/{name}/execs/{id}`: one command with its output. Wakes nothing.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::execs::{ExecView, MAX_WAIT_MS, WaitQuery};

use super::view;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// A command that is or was a job, with the beginning of what it wrote once it has ended.
///
/// Wakes nothing. With `wait_ms` the answer comes with the end, or when that time is over.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/execs/{id}",
    tag = "execs",
    params(WaitQuery),
    responses((status = 200, body = ExecView, description = "The command.")),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path((name, id)): Path<(String, String)>,
    Query(wait): Query<WaitQuery>,
) -> Result<Json<ExecView>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let id = id.parse().map_err(|_| Trouble::missing("command"))?;
    let job = app.control.exec_job(&row, &id).await?;
    let wait = Duration::from_millis(wait.wait_ms.unwrap_or(0).min(MAX_WAIT_MS));
    let waits = !wait.is_zero() && !job.state.is_final();
    let job = if waits { app.control.job_over(&id, wait).await? } else { job };
    Ok(Json(view(job)?))
}
