//! `GET /api/v1/boxes/{name}/history`: a conversation as the engine remembers it. Wakes the box, since
//! only its engine knows.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use smartbox_api::message::HistoryEntry;
use smartbox_api::page::{Page, PageQuery};
use utoipa::IntoParams;

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "history";

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// The conversation; `main` if absent.
    session: Option<String>,
    /// How many entries at most; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// The `next` of the page before; the newest entries if absent.
    cursor: Option<String>,
}

/// Entries of a conversation, oldest first; the first page has the newest.
///
/// Wakes the box, since only its engine knows. `next` leads to the entries before.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/history",
    tag = "history",
    params(Which),
    responses((status = 200, body = Page<HistoryEntry>, description = "What was said.")),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Page<HistoryEntry>>, Trouble> {
    let (limit, before) = PageQuery { limit: which.limit, cursor: which.cursor }.read(LIST)?;
    let row = app.control.find(&who, &name).await?;
    let session = which.session.as_deref().unwrap_or("main");
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let part = app.control.history_page(&row.id, session, before.as_deref(), limit).await?;
    Ok(Json(Page::then(part.items, LIST, part.next.as_deref())))
}
