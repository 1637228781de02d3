//! `GET /api/v1/boxes/{name}/history`: the newest entries of a conversation, oldest first. Wakes the
//! box, since only its engine knows.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use smartbox_api::message::HistoryEntry;

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    session: Option<String>,
    limit: Option<u32>,
}

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
