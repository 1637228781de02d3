//! `GET /api/v1/boxes/{name}/config/history`, and one revision of it.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::config::{Against, RevisionDetail, RevisionView};
use smartbox_api::page::{BadPage, Page, PageQuery};

use super::view::{changes, revision};
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "config-revisions";

/// The revisions of the configuration, newest first.
///
/// Wakes nothing. The newest 20 are kept; a number is never given to another revision.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/config/history",
    tag = "config",
    operation_id = "history",
    params(PageQuery),
    responses((status = 200, body = Page<RevisionView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<RevisionView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let before = after.map(|key| key.parse().map_err(|_| BadPage::Cursor)).transpose()?;
    let row = app.control.find(&who, &name).await?;
    let one_more = u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(1);
    let found = app.control.config_history(&row.id, before, one_more).await?;
    let keyed = found.into_iter().map(|found| (found.seq.to_string(), revision(found)));
    let page = Page::of(keyed, LIST, limit, |(key, _)| key);
    Ok(Json(page.map(|(_, view)| view)))
}

/// One revision with its document, compared with the one before it or with another.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/config/history/{revision}",
    tag = "config",
    operation_id = "revision",
    params(Against, ("revision" = u64, Path, description = "Its number.")),
    responses((status = 200, body = RevisionDetail, description = "The revision.")),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path((name, number)): Path<(String, String)>,
    Query(Against { against }): Query<Against>,
) -> Result<Json<RevisionDetail>, Trouble> {
    let number = number.parse().map_err(|_| Trouble::missing("revision"))?;
    let row = app.control.find(&who, &name).await?;
    let opened = app.control.config_revision(&row.id, number, against).await?;
    Ok(Json(RevisionDetail {
        revision: revision(opened.revision),
        document: opened.owner,
        against: opened.against,
        changes: changes(opened.changes),
    }))
}
