//! `POST /api/v1/bulk/restart`: restarts many boxes, as a job.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use smartbox_api::bulk::{BulkPlan, BulkRestart, PlannedItem};
use smartbox_api::job::JobView;
use smartbox_control::Reach;
use smartbox_control::jobs::{NewBulk, Planned};

use super::select::{pace, selection};
use crate::app::App;
use crate::http::body;
use crate::http::job::accepted;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Restarts many boxes, as a job with an item for each.
///
/// Each is given a new sandbox and counts as done once its engine answers. A box that is off or
/// stopped is skipped. One box's failure does not stop the rest unless `stop_on_failure` is set.
#[utoipa::path(
    post,
    path = "/api/v1/bulk/restart",
    tag = "bulk",
    request_body = BulkRestart,
    responses(
        (status = 200, body = BulkPlan, description = "`dry_run`: what would be done."),
        (status = 202, body = JobView, description = "The job.",
            headers(("location" = String, description = "Where it can be looked at."))),
    ),
)]
pub(super) async fn restart(
    State(app): State<App>,
    who: Principal,
    body::Json(new): body::Json<BulkRestart>,
) -> Result<Response, Trouble> {
    let which = selection(new.boxes, new.selector, new.all)?;
    let boxes = app.control.select(&Reach::from(&who), &which).await?;
    if new.dry_run {
        let items = app.control.plan_restart(boxes).into_iter().map(planned).collect();
        return Ok(Json(BulkPlan { items }).into_response());
    }
    let pace = pace(new.delay_ms, new.concurrency, new.stop_on_failure);
    let job = app.control.bulk_restart(&who.actor, who.home(), NewBulk { boxes, pace }).await?;
    Ok(accepted(job).into_response())
}

fn planned(one: Planned) -> PlannedItem {
    PlannedItem { smartbox: one.row.id, name: one.row.name, state: one.row.state, skip: one.skip }
}
