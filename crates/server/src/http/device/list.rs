//! `GET /api/v1/devices` and `GET /api/v1/devices/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::device::{DeviceId, DeviceView};
use smartbox_api::page::{BadPage, Page, PageQuery};

use super::view::view;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "devices";

/// The devices of the account, the newest first.
#[utoipa::path(
    get,
    path = "/api/v1/devices",
    tag = "devices",
    params(PageQuery),
    responses((status = 200, body = Page<DeviceView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DeviceView>>, Trouble> {
    let (limit, after) = page.read(LIST)?;
    let mut devices = app.access.devices(who.account()?).await?;
    if let Some(after) = after {
        let after: DeviceId = after.parse().map_err(|_| BadPage::Cursor)?;
        let at = devices.iter().position(|device| device.id == after).ok_or(BadPage::Cursor)?;
        devices.drain(..=at);
    }
    let now = app.clock.now();
    let found: Vec<_> = devices.into_iter().map(|device| view(device, now)).collect();
    Ok(Json(Page::of(found, LIST, limit, |device: &DeviceView| device.id.as_str())))
}

/// One device.
#[utoipa::path(
    get,
    path = "/api/v1/devices/{id}",
    tag = "devices",
    responses((status = 200, body = DeviceView, description = "The device.")),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<DeviceView>, Trouble> {
    Ok(Json(view(super::one(&app, &who, &id).await?, app.clock.now())))
}
