//! `GET /api/v1/jobs/{id}/items`: the boxes of a bulk, each with its outcome.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::job::ItemView;
use smartbox_api::page::{BadPage, Page, PageQuery};

use super::get::find;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "items";

/// The boxes of a bulk in their order, each with where it is.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/items",
    tag = "jobs",
    params(PageQuery),
    responses((status = 200, body = Page<ItemView>, description = "A page of them.")),
)]
pub(super) async fn items(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<ItemView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let after: Option<u32> =
        after.map(|key| key.parse().map_err(|_| BadPage::Cursor)).transpose()?;
    let job = find(&app, &who, &id).await?;
    let items = app.control.job_items(&job.id).await?;
    let rest = items.into_iter().filter(|item| after.is_none_or(|after| item.n > after));
    let keyed = rest.map(|item| (item.n.to_string(), item));
    let page = Page::of(keyed, LIST, limit, |(key, _)| key.as_str());
    Ok(Json(page.map(|(_, item)| item.into())))
}
