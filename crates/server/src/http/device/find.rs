//! `POST /api/v1/devices/find`: the device that shows a code. Guessing takes longer each time.

use axum::Json;
use axum::extract::State;
use smartbox_api::device::{DeviceView, FindDevice};
use smartbox_api::problem::Code;
use smartbox_core::device::{Device, code};

use super::view::view;
use crate::app::App;
use crate::http::body;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

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
    let (account, now) = (who.account()?, app.clock.now());
    let Some(typed) = code::typed(text) else {
        let hint = "it has eight letters, like BCDF-GHJK";
        return Err(Trouble::new(Code::BadName, "that is not a code of a device", hint));
    };
    let guesser = format!("{account} {}", who.actor.0);
    if let Some(wait) = app.access.guesses.wait(&guesser, now) {
        let seconds = u16::try_from(wait.as_secs() + 1).unwrap_or(u16::MAX);
        let detail = format!("too many wrong codes: wait {seconds} seconds");
        return Err(Trouble::new(Code::TooMany, detail, "").retry(seconds));
    }
    match app.access.device_showing(account, &typed).await? {
        Some(device) => Ok(device),
        None => {
            app.access.guesses.wrong(&guesser, now);
            let hint = "a code is good for ten minutes; `smartbox devices ls` shows who waits";
            Err(Trouble::new(Code::NotFound, "no device shows that code", hint))
        }
    }
}
