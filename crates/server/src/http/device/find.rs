//! `POST /api/v1/devices/find`: the device that shows a code. Guessing takes longer each time.

use axum::Json;
use axum::extract::State;
use smartbox_api::device::{DeviceView, FindDevice};
use smartbox_api::problem::Code;
use smartbox_core::device::{Device, code};

use super::view::view;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;
use crate::http::{body, toll};

/// The device of the account that shows this code, while it waits.
///
/// Whoever types wrong codes has to wait longer after each.
#[utoipa::path(
    post,
    path = "/api/v1/devices/find",
    tag = "devices",
    request_body = FindDevice,
    responses((status = 200, body = DeviceView, description = "The device.")),
)]
pub(super) async fn find(
    State(app): State<App>,
    who: Principal,
    body::Json(wanted): body::Json<FindDevice>,
) -> Result<Json<DeviceView>, Trouble> {
    let device = showing(&app, &who, &wanted.code).await?;
    Ok(Json(view(device, app.clock.now())))
}

/// The caller's device that shows this code.
pub(in crate::http) async fn showing(
    app: &App,
    who: &Principal,
    text: &str,
) -> Result<Device, Trouble> {
    let account = who.account()?;
    let Some(typed) = code::typed(text) else {
        let hint = "it has eight letters, like BCDF-GHJK";
        return Err(Trouble::new(Code::BadName, "that is not a code of a device", hint));
    };
    toll::may_type(app, who).await?;
    match app.access.device_showing(account, &typed).await? {
        Some(device) => Ok(device),
        None => {
            toll::mistyped(app, who).await;
            let hint = "a code is good for ten minutes; `smartbox devices ls` shows who waits";
            Err(Trouble::new(Code::NotFound, "no device shows that code", hint))
        }
    }
}
