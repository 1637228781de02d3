//! `GET` and `PATCH /api/v1/boxes/{name}/snapshots/status`.

use axum::extract::{Path, State};
use smartbox_api::problem::Code;
use smartbox_api::snapshot::{ArchiveChange, ArchiveView};
use smartbox_core::time::parse_duration;

use super::view;
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// The word for the platform's own.
const DEFAULT: &str = "default";

/// How the snapshots of a box are doing: how fresh, how many, whether a restore was proven.
///
/// The records are asked, not the storage.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/snapshots/status",
    tag = "snapshots",
    responses((status = 200, body = ArchiveView, description = "How they are doing.")),
)]
pub(super) async fn status(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Result<axum::Json<ArchiveView>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let found = app.control.archive(&row.id).await?;
    Ok(axum::Json(view::archive(found, app.control.snapshot_storage())))
}

/// Decides how often snapshots of a box are taken, and what is kept. What is absent stays.
#[utoipa::path(
    patch,
    path = "/api/v1/boxes/{name}/snapshots/status",
    tag = "snapshots",
    request_body = ArchiveChange,
    responses((status = 200, body = ArchiveView, description = "What is in force now.")),
)]
pub(super) async fn change(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Json(change): Json<ArchiveChange>,
) -> Result<axum::Json<ArchiveView>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let objective = or_default(change.objective.as_deref(), |text| {
        let bad = |error| Trouble::new(Code::BadRequest, error, "write a time like `30s`");
        parse_duration(text).map_err(|error| bad(format!("objective: {error}")))
    })?;
    let keep = or_default(change.keep.as_deref(), |text| {
        text.parse().map_err(|error: smartbox_core::snapshot::BadKeep| {
            Trouble::new(Code::BadRequest, error.to_string(), "")
        })
    })?;
    let change = smartbox_control::ArchiveChange { objective, keep };
    app.control.change_archive(&who.actor, &row.id, change).await?;
    let found = app.control.archive(&row.id).await?;
    Ok(axum::Json(view::archive(found, app.control.snapshot_storage())))
}

fn or_default<T>(
    text: Option<&str>,
    read: impl FnOnce(&str) -> Result<T, Trouble>,
) -> Result<Option<Option<T>>, Trouble> {
    match text {
        None => Ok(None),
        Some(DEFAULT) => Ok(Some(None)),
        Some(text) => read(text).map(|value| Some(Some(value))),
    }
}
