//! `POST /api/v1/bulk/config`: patches the configuration of many boxes' engines, as a job.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use smartbox_api::bulk::{BulkConfig, BulkConfigPlan, PlannedConfig};
use smartbox_api::job::JobView;
use smartbox_control::Reach;
use smartbox_control::jobs::{self, NewBulk};

use super::select::{pace, selection};
use crate::app::App;
use crate::http::body;
use crate::http::job::accepted;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Patches the configuration of many boxes' engines, as a job with an item for each.
///
/// A merge patch (RFC 7396), as for one box: checked against each engine's own schema before anything is
/// written, kept in each box's history, and nobody is woken. One box's failure does not stop the rest
/// unless `stop_on_failure` is set. What the patch sets is not shown again: the job names its keys. With
/// `dry_run` each box is checked and the answer says what would differ.
#[utoipa::path(
    post,
    path = "/api/v1/bulk/config",
    tag = "bulk",
    request_body = BulkConfig,
    responses(
        (status = 200, body = BulkConfigPlan, description = "`dry_run`: what would come of it."),
        (status = 202, body = JobView, description = "The job.",
            headers(("location" = String, description = "Where it can be looked at."))),
    ),
)]
pub(super) async fn config(
    State(app): State<App>,
    who: Principal,
    body::Json(new): body::Json<BulkConfig>,
) -> Result<Response, Trouble> {
    let which = selection(new.boxes, new.selector, new.all)?;
    let boxes = app.control.select(&Reach::from(&who), &which).await?;
    if new.dry_run {
        let plan = app.control.plan_config(&who.actor, boxes, new.patch).await?;
        let items = plan.into_iter().map(planned).collect();
        return Ok(Json(BulkConfigPlan { items }).into_response());
    }
    let bulk = NewBulk { boxes, pace: pace(new.delay_ms, new.concurrency, new.stop_on_failure) };
    let job = app.control.bulk_config(&who.actor, who.home(), bulk, &new.patch).await?;
    Ok(accepted(job).into_response())
}

fn planned(one: jobs::PlannedConfig) -> PlannedConfig {
    PlannedConfig {
        smartbox: one.row.id,
        name: one.row.name,
        state: one.row.state,
        changes: one.changes,
        overridden: one.overridden,
        errors: one.faults,
        refused: one.refused,
    }
}
