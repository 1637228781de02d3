//! `POST /api/v1/boxes/{name}/{verb}`: records a wish, and waits for it to come true if asked.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use smartbox_api::job::JobView;
use smartbox_api::problem::Code;
use smartbox_api::smartbox::{Act, MAX_WAIT_MS, SmartboxView};
use smartbox_core::smartbox::{Desired, Rest, Smartbox, State as BoxState};

use super::view;
use crate::app::App;
use crate::http::body::JsonOrDefault;
use crate::http::job::accepted;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

type Shown = Result<Json<SmartboxView>, Trouble>;

/// Has the box be running now. Its desired state stays.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/wake",
    tag = "boxes",
    request_body = Option<Act>,
    responses((status = 200, body = SmartboxView, description = "The box, as it is now.")),
)]
pub(super) async fn wake(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    JsonOrDefault(how): JsonOrDefault<Act>,
) -> Shown {
    let how = at_once(how)?;
    let row = app.control.find(&who, &name).await?;
    let row = app.control.wake(&who.actor, &row.id).await?;
    settled(&app, &row, &[BoxState::Running], how).await
}

/// Has the box be frozen now, or stopped if `deep`. Its desired state stays.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/sleep",
    tag = "boxes",
    request_body = Option<Act>,
    responses((status = 200, body = SmartboxView, description = "The box, as it is now.")),
)]
pub(super) async fn sleep(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    JsonOrDefault(how): JsonOrDefault<Act>,
) -> Shown {
    let how = at_once(how)?;
    let row = app.control.find(&who, &name).await?;
    let rest = if how.deep { Rest::Stopped } else { Rest::Frozen };
    let row = app.control.sleep(&who.actor, &row.id, rest).await?;
    // A stopped box is not started to be frozen: it sleeps already.
    let want: &[BoxState] =
        if how.deep { &[BoxState::Stopped] } else { &[BoxState::Frozen, BoxState::Stopped] };
    settled(&app, &row, want, how).await
}

/// Turns the box on: the desired state becomes the configured one.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/start",
    tag = "boxes",
    request_body = Option<Act>,
    responses((status = 200, body = SmartboxView, description = "The box, as it is now.")),
)]
pub(super) async fn start(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    JsonOrDefault(how): JsonOrDefault<Act>,
) -> Shown {
    let how = at_once(how)?;
    let row = app.control.find(&who, &name).await?;
    let row = app.control.start(&who.actor, &row.id, app.about.desired).await?;
    settled(&app, &row, &[BoxState::Running], how).await
}

/// Turns the box off: its desired state becomes `off`.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/stop",
    tag = "boxes",
    request_body = Option<Act>,
    responses((status = 200, body = SmartboxView, description = "The box, as it is now.")),
)]
pub(super) async fn stop(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    JsonOrDefault(how): JsonOrDefault<Act>,
) -> Shown {
    let how = at_once(how)?;
    let row = app.control.find(&who, &name).await?;
    let row = app.control.stop(&who.actor, &row.id).await?;
    settled(&app, &row, &[BoxState::Stopped], how).await
}

/// Has the box begin anew: another sandbox, the same home.
///
/// What goes on in it ends first. An engine that refuses its configuration starts with the last that
/// worked; the `notice` and `issues` of the answer say so. With `async` the reply is a job, which waits for the box.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/restart",
    tag = "boxes",
    request_body = Option<Act>,
    responses(
        (status = 200, body = SmartboxView, description = "The box, as it is now."),
        (status = 202, body = JobView, description = "`async`: the job.",
            headers(("location" = String, description = "Where it can be looked at."))),
    ),
)]
pub(super) async fn restart(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    JsonOrDefault(how): JsonOrDefault<Act>,
) -> Result<Response, Trouble> {
    let row = app.control.find(&who, &name).await?;
    if how.later {
        let job = app.control.restart_later(&who.actor, &row).await?;
        return Ok(accepted(job).into_response());
    }
    // It may be running all the while: only one that was begun anew is what was asked for.
    let row = match within(how) {
        Some(within) => app.control.restart_within(&who.actor, &row.id, within).await?,
        None => app.control.restart(&who.actor, &row.id).await?,
    };
    Ok(shown(&app, &row).await?.into_response())
}

/// Closes the circuit breaker of a box that failed too often: it starts again as is wished of it.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/reset",
    tag = "boxes",
    request_body = Option<Act>,
    responses((status = 200, body = SmartboxView, description = "The box, as it is now.")),
)]
pub(super) async fn reset(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    JsonOrDefault(how): JsonOrDefault<Act>,
) -> Shown {
    let row = app.control.find(&who, &name).await?;
    let row = app.control.reset(&who.actor, &row.id).await?;
    // One that sleeps or is off is not started for it.
    let want = [BoxState::Running, BoxState::Frozen, BoxState::Stopped];
    let want = if row.desired == Desired::On { &want[..1] } else { &want[..] };
    settled(&app, &row, want, how).await
}

async fn settled(app: &App, row: &Smartbox, want: &[BoxState], how: Act) -> Shown {
    if let Some(within) = within(how) {
        app.control.settle(&row.id, want, within).await?;
    }
    shown(app, row).await
}

async fn shown(app: &App, row: &Smartbox) -> Shown {
    Ok(Json(view::whole(app, app.control.view(&row.id).await?)))
}

/// How long to wait, if at all.
fn within(how: Act) -> Option<Duration> {
    (how.wait_ms > 0).then(|| Duration::from_millis(how.wait_ms.min(MAX_WAIT_MS)))
}

/// Nothing else is done as a job: it must not look as if it were.
fn at_once(how: Act) -> Result<Act, Trouble> {
    if how.later {
        return Err(Trouble::new(
            Code::BadRequest,
            "only a restart is done as a job",
            "leave out `async`; without `wait_ms` the reply comes at once",
        ));
    }
    Ok(how)
}
