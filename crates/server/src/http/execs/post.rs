//! `POST /api/v1/boxes/{name}/execs`: takes a command in. 200: it has ended; 202: it has not yet.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::LOCATION;
use smartbox_api::exec::ExecOrder;
use smartbox_api::execs::{ExecView, MAX_STDIN, MAX_WAIT_MS, NewExec};
use smartbox_api::paths;

use super::view;
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Runs a command in the box, once, whether or not somebody waits for it.
///
/// It wakes the box. The beginning of what it writes is kept for a day, a hundred of a box. If the
/// platform ends in the middle, it is `interrupted` and not begun again.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/execs",
    tag = "execs",
    request_body = NewExec,
    responses(
        (status = 200, body = ExecView, description = "It has ended.",
            headers(("location" = String, description = "Where it can be looked at."))),
        (status = 202, body = ExecView, description = "It waits or runs.",
            headers(("location" = String, description = "Where it can be looked at."))),
    ),
)]
pub(super) async fn post(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Json(new): Json<NewExec>,
) -> Result<impl IntoResponse, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let NewExec { argv, env, cwd, stdin, timeout_ms, wait_ms } = new;
    let stdin = stdin.unwrap_or_default();
    if stdin.len() > MAX_STDIN {
        return Err(Trouble::too_large(MAX_STDIN));
    }
    let order = ExecOrder { argv, env, cwd, timeout_ms, tty: None };
    let job = app.control.submit_exec(&who.actor, &row, order, stdin.into()).await?;
    let wait = Duration::from_millis(wait_ms.unwrap_or(0).min(MAX_WAIT_MS));
    let job = if wait.is_zero() { job } else { app.control.job_over(&job.id, wait).await? };
    let location = [(LOCATION, paths::exec(&name, job.id.as_str()))];
    let view = view(job)?;
    let status = if view.state.is_final() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, location, axum::Json(view)))
}
