//! `GET /api/v1/boxes/{name}/sessions`: the engine's conversations. Wakes the box, since only its
//! engine knows.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::message::Conversation;
use smartbox_api::page::{Page, PageQuery};

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "sessions";

/// The engine's conversations, the newest first.
///
/// Wakes the box, since only its engine knows.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/sessions",
    tag = "sessions",
    params(PageQuery),
    responses((status = 200, body = Page<Conversation>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<Conversation>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let row = app.control.find(&who, &name).await?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let part = app.control.conversations(&row.id, after.as_deref(), limit).await?;
    Ok(Json(Page::then(part.items, LIST, part.next.as_deref())))
}
