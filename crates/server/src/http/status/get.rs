//! `GET /api/v1/status`: what the platform says of itself. Wakes nothing.

use axum::Json;
use axum::extract::State;
use smartbox_api::platform::{Boxes, EngineView, PlatformStatus};
use smartbox_core::smartbox::State as BoxState;

use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;
use crate::models;

/// What the platform says of itself.
///
/// Wakes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/status",
    tag = "status",
    responses((status = 200, body = PlatformStatus, description = "Its state.")),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
) -> Result<Json<PlatformStatus>, Trouble> {
    let about = &app.about;
    let ready = models::ready(&*app.store, who.home(), &about.providers, &about.given).await?;
    let mut boxes = Boxes::default();
    for row in app.control.within(&(&who).into()).await? {
        let count = match row.state {
            BoxState::Stopped => &mut boxes.stopped,
            BoxState::Starting => &mut boxes.starting,
            BoxState::Running => &mut boxes.running,
            BoxState::Frozen => &mut boxes.frozen,
            BoxState::Failed => &mut boxes.failed,
        };
        *count += 1;
    }
    Ok(Json(PlatformStatus {
        version: env!("CARGO_PKG_VERSION").into(),
        pid: std::process::id(),
        started: about.started,
        url: app.site.origin(),
        data_dir: about.data_dir.clone(),
        account: app.account.name.clone(),
        runtime: about.runtime.clone(),
        engine: EngineView { name: about.engine.0.clone(), version: about.engine.1.clone() },
        models: ready.models,
        missing: ready.missing,
        sleep_after: about.sleep_after.clone(),
        boxes,
    }))
}
