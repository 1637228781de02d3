//! `GET /api/v1/boxes/{name}/snapshots` and `…/snapshots/{generation}`.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::page::{BadPage, Page, PageQuery};
use smartbox_api::snapshot::SnapshotView;

use super::view::view;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "snapshots";

/// The snapshots of a box, the newest first.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/snapshots",
    tag = "snapshots",
    params(PageQuery),
    responses((status = 200, body = Page<SnapshotView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<SnapshotView>>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let (limit, after) = which.read(LIST)?;
    let after: Option<u64> =
        after.map(|key| key.parse()).transpose().map_err(|_| BadPage::Cursor)?;
    let found = app.control.archive(&row.id).await?.generations;
    let rest = found.iter().rev().filter(|one| after.is_none_or(|after| one.generation.0 < after));
    let keyed = rest.map(|one| (one.generation.0.to_string(), one));
    let page = Page::of(keyed, LIST, limit, |(key, _)| key.as_str());
    Ok(Json(page.map(|(_, one)| view(one))))
}

/// One snapshot: its number, or `newest`.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/snapshots/{generation}",
    tag = "snapshots",
    responses((status = 200, body = SnapshotView, description = "The snapshot.")),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path((name, generation)): Path<(String, String)>,
) -> Result<Json<SnapshotView>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let record = app.control.generation(&row.id, super::generation(&generation)?).await?;
    Ok(Json(view(&record)))
}
