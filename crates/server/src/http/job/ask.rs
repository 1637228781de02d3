//! `POST /api/v1/jobs/{id}/{cancel,pause,resume}`: what people ask of a job.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::job::JobView;

use super::get::find;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

type Shown = Result<Json<JobView>, Trouble>;

/// Stops a job for good: at once if it waits, else as soon as its run can.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/{id}/cancel",
    tag = "jobs",
    responses((status = 200, body = JobView, description = "The job, as it is now.")),
)]
pub(super) async fn cancel(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Shown {
    let job = find(&app, &who, &id).await?;
    Ok(Json(app.control.cancel_job(&who.actor, &job.id).await?.into()))
}

/// Lets a job wait, or stop at the next good moment, until it is resumed.
///
/// Kinds that cannot stop half-way refuse while they run.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/{id}/pause",
    tag = "jobs",
    responses((status = 200, body = JobView, description = "The job, as it is now.")),
)]
pub(super) async fn pause(State(app): State<App>, who: Principal, Path(id): Path<String>) -> Shown {
    let job = find(&app, &who, &id).await?;
    Ok(Json(app.control.pause_job(&who.actor, &job.id).await?.into()))
}

/// Lets a job go on that was paused.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/{id}/resume",
    tag = "jobs",
    responses((status = 200, body = JobView, description = "The job, as it is now.")),
)]
pub(super) async fn resume(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Shown {
    let job = find(&app, &who, &id).await?;
    Ok(Json(app.control.resume_job(&who.actor, &job.id).await?.into()))
}
