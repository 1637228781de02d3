//! `/api/admin/devices`: the original's pairing calls, over our one registry. Its request is a device here,
//! whose id stands for both.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use smartbox_core::device::{Device, Kind, State as Stands};
use smartbox_core::person::Right;
use smartbox_core::time::Timestamp;

use crate::access::Decision;
use crate::app::App;
use crate::http::device;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

#[derive(Serialize)]
pub(super) struct Listed {
    pending: Vec<Shown>,
    paired: Vec<Shown>,
}

/// A device, as the original showed it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    request_id: String,
    device_id: String,
    display_name: String,
    platform: String,
    client_id: &'static str,
    client_mode: &'static str,
    role: &'static str,
    roles: [&'static str; 1],
    scopes: Vec<&'static str>,
    remote_ip: String,
    ts: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at_ms: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_at_ms: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Approved {
    success: bool,
    request_id: String,
    message: &'static str,
}

#[derive(Serialize)]
pub(super) struct All {
    approved: Vec<String>,
    failed: Vec<Failed>,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    request_id: String,
    success: bool,
    error: String,
}

impl Shown {
    /// What it has, or what it asks for.
    fn of(device: Device, waits: bool) -> Self {
        let ask = device.ask.as_ref().filter(|_| waits);
        let right = ask.map(|ask| ask.requested).or(device.granted);
        let (client_id, client_mode) = match device.kind {
            Kind::Browser => ("browser", "ui"),
            Kind::Cli => ("cli", "cli"),
            Kind::Chat => ("chat", "channel"),
            Kind::Connector => ("connector", "node"),
        };
        let paired = !waits;
        Self {
            request_id: device.id.to_string(),
            device_id: device.id.to_string(),
            display_name: device.name,
            platform: device.platform,
            client_id,
            client_mode,
            role: "operator",
            roles: ["operator"],
            scopes: Right::ALL
                .into_iter()
                .filter(|each| right >= Some(*each))
                .map(Right::as_str)
                .collect(),
            remote_ip: device.address,
            ts: ask.map_or(device.created, |ask| ask.at),
            created_at_ms: paired.then_some(device.created),
            approved_at_ms: device.decided.filter(|_| paired),
        }
    }
}

pub(super) async fn list(State(app): State<App>, who: Principal) -> Result<Json<Listed>, Trouble> {
    let now = app.clock.now();
    let (mut pending, mut paired) = (Vec::new(), Vec::new());
    for device in app.access.devices(who.account()?).await? {
        match device.state {
            // One that has something and asks for more is both; the original knew no such thing.
            _ if device.waits(now) => pending.push(Shown::of(device, true)),
            Stands::Approved => paired.push(Shown::of(device, false)),
            Stands::Pending | Stands::Rejected | Stands::Revoked => {}
        }
    }
    Ok(Json(Listed { pending, paired }))
}

/// With what it asked for, as far as the asker may give it, and never with `own`.
pub(super) async fn approve(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<Approved>, Trouble> {
    let found = device::one(&app, &who, &id).await?;
    let how = Decision::Approve { right: None, ask: None };
    let done = device::decided(&app, &who, found.id, how.clone()).await?;
    let request_id = done.map_err(|why| device::undecided(why, &how))?.id.to_string();
    Ok(Json(Approved { success: true, request_id, message: "Device approved" }))
}

pub(super) async fn approve_all(
    State(app): State<App>,
    who: Principal,
) -> Result<Json<All>, Trouble> {
    let now = app.clock.now();
    let (mut approved, mut failed) = (Vec::new(), Vec::new());
    for device in app.access.devices(who.account()?).await? {
        if !device.waits(now) {
            continue;
        }
        let request_id = device.id.to_string();
        let how = Decision::Approve { right: None, ask: None };
        match device::decided(&app, &who, device.id, how).await? {
            Ok(_) => approved.push(request_id),
            Err(why) => failed.push(Failed { request_id, success: false, error: why.to_string() }),
        }
    }
    let message = match approved.len() + failed.len() {
        0 => "No pending devices to approve".to_owned(),
        all => format!("Approved {} of {all} device(s)", approved.len()),
    };
    Ok(Json(All { approved, failed, message }))
}
