//! `GET /api/super/users/{id}/state/v2` (and `/state`, its older twin) and `/api/super/state/dashboard`.
//! Asking wakes nobody.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use smartbox_core::account::Account;
use smartbox_core::sandbox::EngineProcess;
use smartbox_core::smartbox::{Smartbox, State as BoxState};
use smartbox_core::time::Timestamp;

use super::shape::{Word, word};
use super::user;
use crate::app::App;
use crate::http::trouble::Trouble;

/// One user's state.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StateV2 {
    state: Word,
    /// Our own word, which tells `frozen` from `stopped`.
    smartbox_state: BoxState,
    user_id: String,
    name: String,
    /// Processes of the engine that are supervised: one or none.
    process_count: u32,
    gateway_healthy: bool,
    checked_at: Timestamp,
    latency_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Every user's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dashboard {
    users: Vec<StateV2>,
    summary: Summary,
    total_latency_ms: u64,
    timestamp: Timestamp,
}

#[derive(Default, Serialize)]
struct Summary {
    total: usize,
    active: usize,
    idle: usize,
    starting: usize,
    stopped: usize,
    error: usize,
}

pub(super) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<StateV2>, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    Ok(Json(look(&app, &account, pa).await?))
}

pub(super) async fn dashboard(State(app): State<App>) -> Result<Json<Dashboard>, Trouble> {
    let began = app.clock.now();
    let mut users = Vec::new();
    for account in app.control.accounts().await? {
        // An account without a PA box has nothing to show here; `/api/v1/boxes` shows what it has.
        if let Ok((account, pa)) = user::pa(&app, account.id.as_str()).await {
            users.push(look(&app, &account, pa).await?);
        }
    }
    let now = app.clock.now();
    let summary = summary(&users);
    Ok(Json(Dashboard { users, summary, total_latency_ms: millis(began, now), timestamp: now }))
}

fn summary(users: &[StateV2]) -> Summary {
    let mut summary = Summary { total: users.len(), ..Summary::default() };
    for user in users {
        let count = match user.state {
            Word::Active => &mut summary.active,
            Word::Idle => &mut summary.idle,
            Word::Starting => &mut summary.starting,
            Word::Stopped => &mut summary.stopped,
            Word::Error => &mut summary.error,
        };
        *count += 1;
    }
    summary
}

async fn look(app: &App, account: &Account, pa: Smartbox) -> Result<StateV2, Trouble> {
    let began = app.clock.now();
    let view = app.control.view(&pa.id).await?;
    let runs = matches!(view.observed.engine, EngineProcess::Running { .. });
    let now = app.clock.now();
    Ok(StateV2 {
        state: word(view.row.state),
        smartbox_state: view.row.state,
        user_id: account.id.to_string(),
        name: account.name.clone(),
        process_count: u32::from(runs),
        gateway_healthy: runs && view.row.state == BoxState::Running,
        checked_at: now,
        latency_ms: millis(began, now),
        error: view.row.failure.map(|failure| failure.message),
    })
}

fn millis(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.since(from).as_millis()).unwrap_or(u64::MAX)
}
