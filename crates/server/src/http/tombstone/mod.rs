//! Removed boxes whose snapshots are still there: list, bring back, remove for good.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_api::page::{Page, PageQuery};
use smartbox_api::problem::Code;
use smartbox_api::smartbox::SmartboxView;
use smartbox_api::snapshot::{TombstoneView, Undelete};
use smartbox_core::id::SmartboxId;
use smartbox_core::person::Right;

use super::body::{JsonOrDefault, Query};
use super::codes::OF_ONE;
use super::principal::Principal;
use super::route::{Policy, Route, SMALL, routes};
use super::smartbox::whole;
use super::snapshot::tombstone;
use super::trouble::Trouble;
use crate::app::App;

const LIST: &str = "tombstones";
const BACK: &[Code] = &[Code::NotFound, Code::BadName, Code::Exists, Code::Refused];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(list), Policy::Api(Right::Read), SMALL, &[]),
        Route::api(routes!(undelete), Policy::Api(Right::Own), SMALL, BACK),
        Route::api(routes!(purge), Policy::Api(Right::Own), SMALL, OF_ONE),
    ]
}

/// The removed boxes of the account whose snapshots are still there, the latest first.
#[utoipa::path(
    get,
    path = "/api/v1/tombstones",
    tag = "tombstones",
    params(PageQuery),
    responses((status = 200, body = Page<TombstoneView>, description = "A page of them.")),
)]
async fn list(
    State(app): State<App>,
    who: Principal,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<TombstoneView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let mut found = app.control.tombstones(Some(who.account()?.clone())).await?;
    let key = |stone: &smartbox_core::snapshot::record::Tombstone| {
        // In an order of text that is the order of listing.
        format!("{:020} {}", i64::MAX.saturating_sub(stone.removed.0), stone.row.id)
    };
    found.sort_by_key(key);
    found.retain(|stone| after.as_ref().is_none_or(|after| key(stone) > *after));
    found.truncate(limit + 1);
    let mut views = Vec::new();
    for stone in &found {
        let count = app.control.archive(&stone.row.id).await?.generations.len();
        views.push((key(stone), tombstone(stone, count)));
    }
    let page = Page::of(views, LIST, limit, |(key, _)| key.as_str());
    Ok(Json(page.map(|(_, view)| view)))
}

/// Makes a removed box again, with everything that it had. Its home is restored at its next start.
#[utoipa::path(
    post,
    path = "/api/v1/tombstones/{id}/undelete",
    tag = "tombstones",
    request_body = Option<Undelete>,
    responses((status = 200, body = SmartboxView, description = "The box, turned off.")),
)]
async fn undelete(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    JsonOrDefault(how): JsonOrDefault<Undelete>,
) -> Result<Json<SmartboxView>, Trouble> {
    let id = find(&app, &who, &id).await?;
    let how = smartbox_control::Undelete { name: how.name, account: None };
    let row = app.control.undelete(&who.actor, &id, how).await?;
    Ok(Json(whole(&app, app.control.view(&row.id).await?)))
}

/// Removes the snapshots of a removed box, for good.
#[utoipa::path(
    delete,
    path = "/api/v1/tombstones/{id}",
    tag = "tombstones",
    responses((status = 204, description = "Nothing is left of it.")),
)]
async fn purge(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Trouble> {
    let id = find(&app, &who, &id).await?;
    app.control.purge(&who.actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The tombstone, if it is of the asker's account. Another's is missing, unless an operator asks.
async fn find(app: &App, who: &Principal, id: &str) -> Result<SmartboxId, Trouble> {
    let missing = || Trouble::missing("removed smartbox");
    let id: SmartboxId = id.parse().map_err(|_| missing())?;
    let all = who.everywhere();
    let account = if all { None } else { Some(who.account()?.clone()) };
    let found = app.control.tombstones(account).await?;
    found.iter().any(|stone| stone.row.id == id).then_some(id).ok_or_else(missing)
}
