//! `POST /api/super/users/{id}/exec`: runs a shell line in the PA box, and
//! `GET /api/super/users/{id}/exec/{exec}/status`: what came of it. The line is the caller's own and
//! goes to the box's shell as one argument; nothing is built from it.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use smartbox_api::exec::ExecOrder;
use smartbox_api::execs::{ExecState, ExecView};
use smartbox_core::job::Job;
use smartbox_core::time::Timestamp;

use super::user;
use crate::app::App;
use crate::http::body;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Milliseconds that a command has if nobody says, and at the most.
const USUAL: u64 = 10_000;
const LONGEST: u64 = 20_000;
/// How much longer its end is waited for; a box that boots takes longer, and the answer is then 202.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Order {
    command: String,
    #[serde(default)]
    timeout: Option<u64>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    working_dir: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ran {
    user_id: String,
    exec_id: String,
    command: String,
    status: &'static str,
    exit_code: Option<i32>,
    stdout: String,
    stderr: String,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    poll_url: String,
    timestamp: Timestamp,
}

pub(super) async fn post(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    body::Json(order): body::Json<Order>,
) -> Result<Response, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    let timeout = order.timeout.unwrap_or(USUAL).min(LONGEST);
    let order = ExecOrder {
        argv: vec!["/bin/sh".into(), "-c".into(), order.command],
        env: order.env,
        cwd: order.working_dir,
        timeout_ms: Some(timeout),
        tty: None,
    };
    let job = app.control.submit_exec(&who.actor, &pa, order, Bytes::new()).await?;
    let job = app.control.job_over(&job.id, Duration::from_millis(timeout) + GRACE).await?;
    answer(&app, account.id.as_str(), job)
}

pub(super) async fn status(
    State(app): State<App>,
    Path((id, exec)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    let exec = exec.parse().map_err(|_| Trouble::missing("command"))?;
    let job = app.control.exec_job(&pa, &exec).await?;
    answer(&app, account.id.as_str(), job)
}

fn answer(app: &App, user: &str, job: Job) -> Result<Response, Trouble> {
    let view = ExecView::of(job).ok_or_else(|| Trouble::missing("command"))?;
    let late = view.exit.is_some_and(|exit| exit.timed_out);
    let status = match view.state {
        ExecState::Waiting | ExecState::Running => "running",
        ExecState::Ended if late => "timeout",
        ExecState::Ended => "completed",
        ExecState::Failed | ExecState::Interrupted | ExecState::Cancelled => "error",
    };
    let code = if view.state.is_final() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let (stdout, stderr) = (view.stdout.unwrap_or_default(), view.stderr.unwrap_or_default());
    let ran = Ran {
        user_id: user.to_owned(),
        poll_url: format!("/api/super/users/{user}/exec/{}/status", view.id),
        exec_id: view.id.to_string(),
        command: view.argv.last().cloned().unwrap_or_default(),
        status,
        exit_code: view.exit.and_then(|exit| exit.code),
        truncated: stdout.truncated || stderr.truncated,
        stdout: stdout.text,
        stderr: stderr.text,
        error: view.failure.map(|failure| failure.detail),
        timestamp: app.clock.now(),
    };
    Ok((code, Json(ran)).into_response())
}
