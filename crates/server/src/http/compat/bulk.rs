//! `POST /api/super/bulk/restart` and `/api/super/bulk/config-patch`: the PA boxes of these users, or of
//! all, one after another, as a job that can be looked at.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smartbox_api::paths;
use smartbox_control::jobs::{NewBulk, Pace};
use smartbox_core::account::Account;
use smartbox_core::id::JobId;
use smartbox_core::job::{Item, Outcome};
use smartbox_core::smartbox::Smartbox;

use super::user;
use crate::app::App;
use crate::http::body;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// How long a patch's end is waited for.
const PATIENCE: Duration = Duration::from_secs(25);
const NOTE: &str =
    "each user's outcome is at checkStatusUrl and its `/items`, with the secret as a bearer";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Restarts {
    user_ids: Option<Vec<String>>,
    delay_ms: u64,
}

impl Default for Restarts {
    fn default() -> Self {
        Self { user_ids: None, delay_ms: 5000 }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Patch {
    patch: Value,
    #[serde(default)]
    user_ids: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Restarting {
    message: &'static str,
    total: usize,
    delay_ms: u64,
    estimated_duration_ms: u64,
    job_id: JobId,
    check_status_url: String,
    note: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Patched {
    status: &'static str,
    total: usize,
    succeeded: usize,
    failed: usize,
    results: Vec<OfUser>,
    job_id: JobId,
    check_status_url: String,
    note: &'static str,
}

/// What came of one user's box.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfUser {
    user_id: String,
    success: bool,
    outcome: Outcome,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) async fn restart(
    State(app): State<App>,
    who: Principal,
    body::JsonOrDefault(asked): body::JsonOrDefault<Restarts>,
) -> Result<Response, Trouble> {
    let meant = meant(&app, asked.user_ids).await?;
    let delay_ms = asked.delay_ms;
    let boxes: Vec<_> = meant.into_iter().map(|(_, pa)| pa).collect();
    let total = boxes.len();
    let pace = Pace { delay_ms, concurrency: 1, stop_on_failure: false };
    let job = app.control.bulk_restart(&who.actor, who.home(), NewBulk { boxes, pace }).await?;
    let answer = Restarting {
        message: "the restarts are recorded and happen one after another",
        total,
        delay_ms,
        estimated_duration_ms: delay_ms.saturating_mul(u64::try_from(total).unwrap_or(u64::MAX)),
        check_status_url: paths::job(job.id.as_str()),
        job_id: job.id,
        note: NOTE,
    };
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

pub(super) async fn config_patch(
    State(app): State<App>,
    who: Principal,
    body::Json(asked): body::Json<Patch>,
) -> Result<Response, Trouble> {
    let meant = meant(&app, asked.user_ids).await?;
    let users: HashMap<String, String> =
        meant.iter().map(|(of, pa)| (pa.id.to_string(), of.id.to_string())).collect();
    let boxes = meant.into_iter().map(|(_, pa)| pa).collect();
    let new = NewBulk { boxes, pace: Pace::default() };
    let job = app.control.bulk_config(&who.actor, who.home(), new, &asked.patch).await?;
    let job = app.control.job_over(&job.id, PATIENCE).await?;
    let items = app.control.job_items(&job.id).await?;
    let count = |outcome| items.iter().filter(|item| item.outcome == outcome).count();
    let over = job.state.is_final();
    let answer = Patched {
        status: if over { "complete" } else { "pending" },
        total: items.len(),
        succeeded: count(Outcome::Ok),
        failed: count(Outcome::Failed) + count(Outcome::Skipped),
        results: items.iter().filter_map(|item| of_user(&users, item)).collect(),
        check_status_url: paths::job(job.id.as_str()),
        job_id: job.id,
        note: NOTE,
    };
    let status = if over { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(answer)).into_response())
}

/// These users with their PA boxes, or all that have one.
async fn meant(app: &App, named: Option<Vec<String>>) -> Result<Vec<(Account, Smartbox)>, Trouble> {
    let mut meant = Vec::new();
    if let Some(named) = named {
        for name in named {
            let found = user::pa(app, &name).await?;
            if !meant.iter().any(|(known, _): &(Account, Smartbox)| known.id == found.0.id) {
                meant.push(found);
            }
        }
        return Ok(meant);
    }
    for account in app.control.accounts().await? {
        if let Ok(found) = user::pa(app, account.id.as_str()).await {
            meant.push(found);
        }
    }
    Ok(meant)
}

fn of_user(users: &HashMap<String, String>, item: &Item) -> Option<OfUser> {
    let success = item.outcome == Outcome::Ok;
    let done = item.outcome.is_final();
    let reason = item.reason.clone();
    let (message, error) =
        if done && !success { (String::new(), Some(reason)) } else { (reason, None) };
    let user_id = users.get(&item.subject)?.clone();
    Some(OfUser { user_id, success, outcome: item.outcome, message, error })
}
