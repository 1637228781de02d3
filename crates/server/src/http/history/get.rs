//! `GET /api/v1/boxes/{name}/history`: the newest entries of a conversation, oldest first. Wakes the
//! box, since only its engine knows.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use smartbox_api::message::HistoryEntry;
use utoipa::IntoParams;

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// The conversation; `main` if absent.
    session: Option<String>,
    /// How many entries: 1 to 1000; 50 if absent.
    limit: Option<u32>,
}

/// The newest entries of a conversation, oldest first.
///
/// Wakes the box, since only its engine knows.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/history",
    tag = "history",
    params(Which),
    responses((status = 200, body = Vec<HistoryEntry>, description = "What was said.")),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Vec<HistoryEntry>>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let session = which.session.as_deref().unwrap_or("main");
    let limit = which.limit.unwrap_or(50).clamp(1, 1000);
    Ok(Json(app.control.history(&row.id, session, limit).await?))
}
