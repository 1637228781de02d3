//! `POST /api/v1/devices/{id}/{approve,reject,revoke}`: somebody decides.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::device::{Approve, DeviceView};
use smartbox_api::problem::Code;
use smartbox_core::device::{Device, DeviceId, Undecided};
use smartbox_core::person::Right;

use super::view::view;
use super::{missing, most, one};
use crate::access::{Decided, Decision};
use crate::app::App;
use crate::http::body;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Lets a device in.
///
/// With no more than it asked for, and than who lets it in may. `ask` says which request was shown to them: if
/// the device has asked anew since, nothing is let in. It is done once: what it was given is not changed by
/// asking again.
#[utoipa::path(
    post,
    path = "/api/v1/devices/{id}/approve",
    tag = "devices",
    request_body = Approve,
    responses((status = 200, body = DeviceView, description = "The device, let in.")),
)]
pub(super) async fn approve(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    body::Json(how): body::Json<Approve>,
) -> Result<Json<DeviceView>, Trouble> {
    answer(&app, &who, &id, Decision::Approve { right: how.right, ask: Some(how.ask) }).await
}

/// Does not let a device in. What it was given before it keeps.
#[utoipa::path(
    post,
    path = "/api/v1/devices/{id}/reject",
    tag = "devices",
    responses((status = 200, body = DeviceView, description = "The device, not let in.")),
)]
pub(super) async fn reject(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<DeviceView>, Trouble> {
    answer(&app, &who, &id, Decision::Reject).await
}

/// Lets a device in no more. Its tokens, sessions and open connections are over.
///
/// A device may do this to itself whatever it may besides; to another one whoever may `manage`.
#[utoipa::path(
    post,
    path = "/api/v1/devices/{id}/revoke",
    tag = "devices",
    responses((status = 200, body = DeviceView, description = "The device, shut out.")),
)]
pub(super) async fn revoke(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<DeviceView>, Trouble> {
    if let Some(itself) = who.device().filter(|device| device.as_str() == id) {
        let (by, least) = (who.caller(), Right::Read);
        let over = app.access.decide(by, least, itself.clone(), Decision::Revoke).await?;
        let over = over.ok_or_else(missing)?.map_err(|why| undecided(why, &Decision::Revoke))?;
        return Ok(Json(view(over, app.clock.now())));
    }
    answer(&app, &who.needing(Right::Manage)?, &id, Decision::Revoke).await
}

async fn answer(
    app: &App,
    who: &Principal,
    id: &str,
    decision: Decision,
) -> Result<Json<DeviceView>, Trouble> {
    let device = one(app, who, id).await?;
    Ok(Json(view(decide(app, who, device, decision).await?, app.clock.now())))
}

/// Decides about a device of the caller's.
pub(super) async fn decide(
    app: &App,
    who: &Principal,
    device: Device,
    decision: Decision,
) -> Result<Device, Trouble> {
    let done = decided(app, who, device.id, decision.clone()).await?;
    done.map_err(|why| undecided(why, &decision))
}

/// The same, for who has other words for why nothing came of it.
pub(in crate::http) async fn decided(
    app: &App,
    who: &Principal,
    device: DeviceId,
    decision: Decision,
) -> Result<Decided, Trouble> {
    let decided = app.access.decide(&who.host(), most(who)?, device, decision).await?;
    decided.ok_or_else(missing)
}

pub(in crate::http) fn undecided(why: Undecided, decision: &Decision) -> Trouble {
    match why {
        Undecided::TooMuch => {
            Trouble::new(Code::Forbidden, why.to_string(), "give it less, or ask an owner")
        }
        Undecided::Over if *decision == Decision::Revoke => {
            Trouble::new(Code::Conflict, "the device is not let in", "")
        }
        Undecided::TooLittle => {
            Trouble::new(Code::Forbidden, why.to_string(), "ask whoever let it in, or an owner")
        }
        Undecided::Another => {
            let hint = "look at it again, and compare the digits again";
            Trouble::new(Code::Conflict, why.to_string(), hint)
        }
        Undecided::Over | Undecided::Already => {
            let hint = "`smartbox devices ls` shows those that wait";
            Trouble::new(Code::Conflict, why.to_string(), hint)
        }
    }
}
