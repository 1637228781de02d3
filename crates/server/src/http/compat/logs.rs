//! `GET /api/super/users/{id}/logs?tail=200`: the last lines of the engine. Wakes nobody.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use smartbox_api::log::MAX_TAIL;

use super::user;
use crate::app::App;
use crate::http::body::Query;
use crate::http::trouble::Trouble;

/// Lines if nobody says.
const TAIL: usize = 200;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Which {
    tail: Option<usize>,
}

/// The engine writes one stream; `stderr` is empty, and there for clients that join the two.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Logs {
    user_id: String,
    stdout: String,
    stderr: &'static str,
    stdout_lines: usize,
    timestamp: smartbox_core::time::Timestamp,
}

pub(super) async fn get(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Logs>, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    let page = app.control.log_tail(&pa.id, MAX_TAIL).await?;
    let text = String::from_utf8_lossy(&page.bytes);
    let lines: Vec<&str> = text.lines().collect();
    let shown = &lines[lines.len().saturating_sub(which.tail.unwrap_or(TAIL))..];
    Ok(Json(Logs {
        user_id: account.id.to_string(),
        stdout: shown.join("\n"),
        stderr: "",
        stdout_lines: shown.len(),
        timestamp: app.clock.now(),
    }))
}
