//! `GET /api/v1/boxes/{name}/snapshots/{generation}/files`.

use axum::Json;
use axum::extract::{Path, State};
use http::Uri;
use smartbox_api::file::{FileView, FilesQuery};
use smartbox_api::page::{Page, PageQuery};

use super::view;
use crate::app::App;
use crate::http::body::Query;
use crate::http::file::{key, path, unkey};
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "sf";

/// What a folder of a snapshot holds, by name; of a file, the file itself.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/snapshots/{generation}/files",
    tag = "snapshots",
    params(FilesQuery),
    responses((status = 200, body = Page<FileView>, description = "A page of it.")),
)]
pub(super) async fn files(
    State(app): State<App>,
    who: Principal,
    Path((name, generation)): Path<(String, String)>,
    uri: Uri,
    Query(query): Query<FilesQuery>,
) -> Result<Json<Page<FileView>>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let which = PageQuery { limit: query.limit, cursor: query.cursor };
    let (limit, after) = which.read(LIST)?;
    let after = after.map(|key| unkey(&key)).transpose()?;
    let of = super::generation(&generation)?;
    let mut found = app.control.look_in_snapshot(&row.id, of, path::of(&uri)?).await?;
    found.retain(|kept| after.as_ref().is_none_or(|after| kept.entry.name > *after));
    let keyed = found.into_iter().map(|kept| (key(&kept.entry.name), kept));
    let page = Page::of(keyed, LIST, limit, |(key, _)| key);
    Ok(Json(page.map(|(_, kept)| view::file(&kept))))
}
