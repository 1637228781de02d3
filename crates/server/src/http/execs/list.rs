//! `GET /api/v1/boxes/{name}/execs`: the newest commands of a box. Wakes nothing.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::execs::ExecView;
use smartbox_api::page::{BadPage, Page, PageQuery};

use super::view;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "execs";

/// The commands of the box that are or were jobs, newest first, without their output.
///
/// Wakes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/execs",
    tag = "execs",
    params(PageQuery),
    responses((status = 200, body = Page<ExecView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<ExecView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let after = after.map(|id| id.parse().map_err(|_| BadPage::Cursor)).transpose()?;
    let row = app.control.find(&who, &name).await?;
    let jobs = app.control.execs(&row, after.as_ref(), limit + 1).await?;
    let page = Page::of(jobs, LIST, limit, |job| job.id.as_str());
    let items = page.items.into_iter().map(|job| Ok(view(job)?.brief()));
    let items = items.collect::<Result<Vec<_>, Trouble>>()?;
    Ok(Json(Page { items, next: page.next }))
}
