//! `POST /api/v1/boxes`: makes a box.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::LOCATION;
use smartbox_api::{paths, smartbox};
use smartbox_control::NewSmartbox;
use smartbox_core::smartbox::Kind;

use super::view;
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Makes a box.
#[utoipa::path(
    post,
    path = "/api/v1/boxes",
    tag = "boxes",
    request_body = smartbox::NewSmartbox,
    responses((status = 201, body = smartbox::SmartboxView, description = "It is made.",
        headers(("location" = String, description = "Where it can be looked at.")))),
)]
pub(super) async fn create(
    State(app): State<App>,
    who: Principal,
    Json(new): Json<smartbox::NewSmartbox>,
) -> Result<impl IntoResponse, Trouble> {
    let new = NewSmartbox {
        name: new.name,
        display: new.display_name.unwrap_or_default(),
        labels: new.labels,
        kind: new.kind.unwrap_or(Kind::CUSTOM),
        tier: new.tier,
        engine: new.engine,
        desired: new.desired.unwrap_or(app.about.desired),
    };
    let row = app.control.create(&who.actor, &who.account, new).await?;
    let location = [(LOCATION, paths::smartbox(&row.name))];
    Ok((StatusCode::CREATED, location, axum::Json(view::row(&app, row, String::new()))))
}
