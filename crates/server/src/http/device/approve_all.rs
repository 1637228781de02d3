//! `POST /api/v1/devices/approve-all`: lets in all that wait.

use axum::Json;
use axum::extract::State;
use smartbox_api::device::{Approved, DeviceView};

use super::most;
use super::view::view;
use crate::access::Decision;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Lets in every device of the account that waits, each with what it asked for as far as the caller may
/// give it, and none with `own`.
#[utoipa::path(
    post,
    path = "/api/v1/devices/approve-all",
    tag = "devices",
    responses((status = 200, body = Approved, description = "Those that were let in.")),
)]
pub(super) async fn approve_all(
    State(app): State<App>,
    who: Principal,
) -> Result<Json<Approved>, Trouble> {
    Ok(Json(Approved { items: all(&app, &who).await? }))
}

/// Lets them in. One that somebody else decided about meanwhile is left out.
pub(in crate::http) async fn all(app: &App, who: &Principal) -> Result<Vec<DeviceView>, Trouble> {
    let (most, by, now) = (most(who)?, who.host(), app.clock.now());
    let mut done = Vec::new();
    for device in app.access.devices(who.account()?).await? {
        if !device.waits(now) {
            continue;
        }
        let how = Decision::Approve { right: None, ask: None };
        let decided = app.access.decide(&by, most, device.id, how);
        if let Some(Ok(device)) = decided.await? {
            done.push(view(device, now));
        }
    }
    Ok(done)
}
