//! `POST /api/v1/boxes/{name}/link`: a link that signs a browser in on the box's own origin, once
//! and within a minute.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::link::SignInLink;

use crate::app::App;
use crate::http::page;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Makes a link that signs a browser in on the box's own origin, once and within a minute.
///
/// Wakes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/link",
    tag = "boxes",
    responses((status = 200, body = SignInLink, description = "The link.")),
)]
pub(super) async fn link(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Result<Json<SignInLink>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let url = page::enter(&app, who.caller(), &row).await?;
    let expires = Some(app.clock.now().plus(Duration::from_mins(1)));
    Ok(Json(SignInLink { url, expires }))
}
