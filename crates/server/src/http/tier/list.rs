//! `GET /api/v1/tiers`: the tiers that there are, by name.

use axum::Json;
use axum::extract::State;
use smartbox_api::page::{Page, PageQuery};
use smartbox_api::tier::TierView;

use crate::app::App;
use crate::http::body::Query;
use crate::http::trouble::Trouble;

const LIST: &str = "tiers";

/// The tiers, by name.
#[utoipa::path(
    get,
    path = "/api/v1/tiers",
    tag = "tiers",
    params(PageQuery),
    responses((status = 200, body = Page<TierView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<TierView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let (tiers, default) = app.control.tiers();
    let rest = tiers.iter().filter(|(name, _)| after.as_ref().is_none_or(|after| *name > after));
    let page = Page::of(rest, LIST, limit, |(name, _)| name.as_str());
    Ok(Json(page.map(|(name, limits)| TierView {
        name: name.clone(),
        cpu_millis: limits.cpu_millis,
        memory_bytes: limits.memory_bytes,
        pids: limits.pids,
        disk_bytes: limits.disk_bytes,
        default: name == default,
    })))
}
