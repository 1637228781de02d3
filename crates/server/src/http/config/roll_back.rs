//! `POST /api/v1/boxes/{name}/config/rollback`: the document of a revision in the present one's place.

use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use smartbox_api::config::{ConfigChanged, RollBack};
use smartbox_control::How;

use super::terms;
use super::view::{changed, tagged};
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Goes back to a revision; that is a revision of its own.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/config/rollback",
    tag = "config",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that was seen.")),
    request_body = RollBack,
    responses((status = 200, body = ConfigChanged, description = "What came of it.",
        headers(("etag" = String, description = "The new document's digest.")))),
)]
pub(super) async fn roll_back(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(to): Json<RollBack>,
) -> Result<Response, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let how = How::Roll { back_to: to.revision };
    let terms = terms(&headers, false);
    let outcome = app.control.change_config(&who.actor, &row.id, &how, &terms).await?;
    let digest = outcome.digest.clone();
    Ok(tagged(&digest, changed(outcome)))
}
