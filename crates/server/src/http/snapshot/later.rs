//! What takes its time, and is a job: `POST /api/v1/boxes/{name}/snapshots` and beneath it.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use smartbox_api::job::JobView;
use smartbox_api::problem::Code;
use smartbox_api::snapshot::{Fork, Restore, Verify};
use smartbox_control::SnapshotJob;

use crate::app::App;
use crate::http::body::{Json, JsonOrDefault};
use crate::http::job::accepted;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

type Begun = Result<Response, Trouble>;

/// Paths in one restore.
const MOST: usize = 100;

/// Takes a snapshot now, as a job.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/snapshots",
    tag = "snapshots",
    responses((status = 202, body = JobView, description = "The job.",
        headers(("location" = String, description = "Where it can be looked at.")))),
)]
pub(super) async fn take(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Begun {
    begin(&app, &who, &name, SnapshotJob::Take).await
}

/// Puts a snapshot in the place of the home, or files and folders of it, as a job.
///
/// For the whole home the box finishes its turn and stops, then goes on as is wished of it. What is
/// replaced is a snapshot itself. With `paths` nothing stops.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/snapshots/{generation}/restore",
    tag = "snapshots",
    request_body = Option<Restore>,
    responses((status = 202, body = JobView, description = "The job.",
        headers(("location" = String, description = "Where it can be looked at.")))),
)]
pub(super) async fn restore(
    State(app): State<App>,
    who: Principal,
    Path((name, generation)): Path<(String, String)>,
    JsonOrDefault(what): JsonOrDefault<Restore>,
) -> Begun {
    if what.paths.len() > MOST {
        let detail = format!("at most {MOST} paths at once");
        return Err(Trouble::new(Code::BadRequest, detail, "restore the folder that they are in"));
    }
    let row = app.control.find(&who, &name).await?;
    // By its number: another may be the newest when the job begins.
    let of = super::generation(&generation)?;
    let generation = app.control.generation(&row.id, of).await?.generation;
    let what = SnapshotJob::Restore { generation, paths: what.paths };
    begin(&app, &who, row.id.as_str(), what).await
}

/// Makes a new box whose home is a snapshot, as a job.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/snapshots/{generation}/fork",
    tag = "snapshots",
    request_body = Fork,
    responses((status = 202, body = JobView, description = "The job.",
        headers(("location" = String, description = "Where it can be looked at.")))),
)]
pub(super) async fn fork(
    State(app): State<App>,
    who: Principal,
    Path((name, generation)): Path<(String, String)>,
    Json(fork): Json<Fork>,
) -> Begun {
    let row = app.control.find(&who, &name).await?;
    let of = super::generation(&generation)?;
    let generation = Some(app.control.generation(&row.id, of).await?.generation);
    let what = SnapshotJob::Fork { generation, name: fork.name };
    begin(&app, &who, row.id.as_str(), what).await
}

/// Reads snapshots back, every byte, as a job.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/snapshots/verify",
    tag = "snapshots",
    request_body = Option<Verify>,
    responses((status = 202, body = JobView, description = "The job.",
        headers(("location" = String, description = "Where it can be looked at.")))),
)]
pub(super) async fn verify(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    JsonOrDefault(which): JsonOrDefault<Verify>,
) -> Begun {
    begin(&app, &who, &name, SnapshotJob::Verify { generation: which.generation }).await
}

/// Removes what is no longer to be kept, as a job.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/snapshots/prune",
    tag = "snapshots",
    responses((status = 202, body = JobView, description = "The job.",
        headers(("location" = String, description = "Where it can be looked at.")))),
)]
pub(super) async fn prune(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Begun {
    begin(&app, &who, &name, SnapshotJob::Prune).await
}

/// Restores the newest snapshot into a scratch box and sees whether it lives, as a job.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/snapshots/drill",
    tag = "snapshots",
    responses((status = 202, body = JobView, description = "The job.",
        headers(("location" = String, description = "Where it can be looked at.")))),
)]
pub(super) async fn drill(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Begun {
    begin(&app, &who, &name, SnapshotJob::Drill).await
}

async fn begin(app: &App, who: &Principal, name: &str, what: SnapshotJob) -> Begun {
    let row = app.control.find(who, name).await?;
    let job = app.control.snapshot_later(&who.actor, &row, what).await?;
    Ok(accepted(job).into_response())
}
