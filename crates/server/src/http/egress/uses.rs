//! `GET /api/v1/boxes/{name}/egress`: what left a box, and what was refused. Wakes nothing.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::egress::{EgressQuery, EgressView};
use smartbox_api::page::{BadPage, Page};
use smartbox_core::egress::Use;
use smartbox_core::time::Timestamp;

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "egress";
/// Rows that are looked through for one page.
const MOST: u32 = 10_000;
const USUAL: i64 = Duration::from_hours(24).as_millis() as i64;

/// What a box sent out and what was refused, by host and day, the last of it first.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/egress",
    tag = "egress",
    params(EgressQuery),
    responses((status = 200, body = Page<EgressView>, description = "A page of it.")),
)]
pub(super) async fn uses(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(which): Query<EgressQuery>,
) -> Result<Json<Page<EgressView>>, Trouble> {
    let (limit, after) = which.page().read(LIST)?;
    let after = after.map(|n| n.parse::<usize>().map_err(|_| BadPage::Cursor)).transpose()?;
    let row = app.control.find(&who, &name).await?;
    let since = which.since.unwrap_or(app.clock.now().0 - USUAL);
    let found = app.control.egress_uses(&row.id, Timestamp(since), MOST).await?;
    let refused = which.refused.unwrap_or(false);
    let meant = found.into_iter().filter(|(one, _)| !refused || one.refused > 0);
    let keyed = meant.enumerate().map(|(n, one)| (n.to_string(), one));
    let rest = keyed.skip(after.map_or(0, |after| after.saturating_add(1)));
    Ok(Json(Page::of(rest, LIST, limit, |(n, _)| n).map(|(_, (one, allowed))| view(one, allowed))))
}

fn view(one: Use, allowed: bool) -> EgressView {
    EgressView {
        host: one.host,
        port: one.port,
        day: one.day,
        opened: one.opened,
        bytes_out: one.up,
        bytes_in: one.down,
        refused: one.refused,
        why: one.why,
        secrets: one.secrets,
        by: one.by.map(|program| program.to_string()),
        last: one.last,
        allowed,
    }
}
