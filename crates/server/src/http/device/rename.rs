//! `PATCH /api/v1/devices/{id}`: another name.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::device::{DeviceView, RenameDevice};
use smartbox_api::problem::Code;
use smartbox_core::device::Device;

use super::authorize::plain;
use super::view::view;
use super::{missing, one};
use crate::app::App;
use crate::http::body;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Calls a device something else.
#[utoipa::path(
    patch,
    path = "/api/v1/devices/{id}",
    tag = "devices",
    request_body = RenameDevice,
    responses((status = 200, body = DeviceView, description = "The device.")),
)]
pub(super) async fn rename(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    body::Json(new): body::Json<RenameDevice>,
) -> Result<Json<DeviceView>, Trouble> {
    Ok(Json(view(renamed(&app, &who, &id, &new.name).await?, app.clock.now())))
}

/// Calls the caller's device with this id something else.
pub(in crate::http) async fn renamed(
    app: &App,
    who: &Principal,
    id: &str,
    new: &str,
) -> Result<Device, Trouble> {
    let device = one(app, who, id).await?;
    let name = plain(Some(new), "");
    if name != new || name.is_empty() {
        let hint = "1 to 80 characters that can be seen";
        return Err(Trouble::new(Code::BadName, "that is not a name for a device", hint));
    }
    let renamed = app.access.rename_device(who.caller(), device.id, name).await?;
    renamed.ok_or_else(missing)
}
