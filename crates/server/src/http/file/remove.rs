//! `DELETE /api/v1/boxes/{name}/files`: removes a file, a link or a directory.

use axum::extract::{Path, State};
use http::{HeaderMap, StatusCode, Uri};
use smartbox_api::file::RemoveQuery;
use smartbox_core::home::FileChange;

use super::{path, view};
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Removes a file, a link (never what it leads to) or a directory.
///
/// Wakes nothing. `If-Match` is heeded.
#[utoipa::path(
    delete,
    path = "/api/v1/boxes/{name}/files",
    tag = "files",
    params(RemoveQuery),
    responses((status = 204, description = "It is gone.")),
)]
pub(super) async fn remove(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    uri: Uri,
    Query(query): Query<RemoveQuery>,
    headers: HeaderMap,
) -> Result<StatusCode, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let condition = view::condition(&headers)?;
    let change = FileChange::Remove { recursive: query.recursive, condition };
    app.control.change_file(&who.actor, &row.id, path::of(&uri)?, change).await?;
    Ok(StatusCode::NO_CONTENT)
}
