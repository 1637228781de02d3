//! `GET /api/v1/jobs/{id}`: where a job is.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::LOCATION;
use smartbox_api::job::JobView;
use smartbox_api::paths;
use smartbox_core::job::Job;

use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Where a job is, and what came of it.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}",
    tag = "jobs",
    responses((status = 200, body = JobView, description = "The job.")),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Trouble> {
    Ok(Json(find(&app, &who, &id).await?.into()))
}

/// The job, if it is the asker's account's. Another's is missing, unless an operator asks.
pub(super) async fn find(app: &App, who: &Principal, id: &str) -> Result<Job, Trouble> {
    let missing = || Trouble::missing("job");
    let job = app.control.job(&id.parse().map_err(|_| missing())?).await?;
    if who.reaches(app, &job.account, job.smartbox.as_ref()).await? {
        Ok(job)
    } else {
        Err(missing())
    }
}

/// 202: the job is committed; its place says how it goes on.
pub(in crate::http) fn accepted(job: Job) -> impl IntoResponse {
    let location = [(LOCATION, paths::job(job.id.as_str()))];
    (StatusCode::ACCEPTED, location, Json(JobView::from(job)))
}
