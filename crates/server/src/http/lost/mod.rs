//! Boxes in the storage of snapshots that this installation does not know: list, and take over.

use std::collections::HashSet;

use axum::extract::State;
use smartbox_api::page::{Page, PageQuery};
use smartbox_api::problem::Code;
use smartbox_api::snapshot::{LostView, Recover};
use smartbox_control::Recoverable;
use smartbox_core::id::SmartboxId;
use smartbox_core::person::Right;

use super::body::{Json, Query};
use super::principal::Principal;
use super::route::{Limit, Policy, Route, SMALL, routes};
use super::trouble::Trouble;
use crate::app::App;

const LIST: &str = "lost";
/// A thousand identifiers.
const MANY: Limit = Limit::Bytes(64 << 10);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(list), Policy::Operator(Right::Read), SMALL, &[Code::Storage]),
        Route::api(
            routes!(recover),
            Policy::Operator(Right::Own),
            MANY,
            &[Code::Storage, Code::Refused],
        ),
    ]
}

/// The boxes in the storage of snapshots that this installation does not know.
#[utoipa::path(
    get,
    path = "/api/v1/lost",
    tag = "lost",
    params(PageQuery),
    responses((status = 200, body = Page<LostView>, description = "A page of them.")),
)]
async fn list(
    State(app): State<App>,
    _who: Principal,
    Query(which): Query<PageQuery>,
) -> Result<axum::Json<Page<LostView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let mut found = app.control.recoverable().await?;
    found.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    let rest = found
        .into_iter()
        .filter(|one| after.as_ref().is_none_or(|after| one.id.as_str() > after.as_str()));
    let page = Page::of(rest, LIST, limit, |one| one.id.as_str());
    Ok(axum::Json(page.map(view)))
}

/// Takes boxes over. Account, box and snapshots are this installation's from then on; the home is
/// restored when the box starts. The installation that had them can write nothing more.
#[utoipa::path(
    post,
    path = "/api/v1/lost",
    tag = "lost",
    request_body = Recover,
    responses((status = 200, body = Vec<LostView>, description = "What was asked for: without
        `trouble` it was taken over.")),
)]
async fn recover(
    State(app): State<App>,
    who: Principal,
    Json(which): Json<Recover>,
) -> Result<axum::Json<Vec<LostView>>, Trouble> {
    let wanted: HashSet<&SmartboxId> = which.boxes.iter().collect();
    let mut found = app.control.recoverable().await?;
    found.retain(|one| which.all || wanted.contains(&one.id));
    if found.len() < wanted.len() {
        let hint = "`smartbox snapshot lost` lists those that there are";
        return Err(Trouble::new(Code::Refused, "one of these is not in the storage", hint));
    }
    for one in &mut found {
        if one.problem.is_some() {
            continue;
        }
        // Each on its own: one that cannot be does not keep the others.
        if let Err(error) = app.control.recover(&who.actor, std::slice::from_ref(&one.id)).await {
            one.problem = Some(error.to_string());
        }
    }
    Ok(axum::Json(found.into_iter().map(view).collect()))
}

fn view(one: Recoverable) -> LostView {
    LostView {
        id: one.id,
        name: one.name.unwrap_or_default(),
        account: one.account.unwrap_or_default(),
        newest: one.newest.as_ref().map(|newest| newest.generation),
        time: one.newest.map(|newest| newest.taken),
        trouble: one.problem.unwrap_or_default(),
    }
}
