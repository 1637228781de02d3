//! `GET /api/v1/boxes/{name}`: one box with its evidence. Wakes nothing.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::smartbox::SmartboxView;

use super::view;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::revision::Revision;
use crate::http::trouble::Trouble;

/// One box, with what is seen of its sandbox.
///
/// Wakes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}",
    tag = "boxes",
    responses((status = 200, body = SmartboxView, description = "The box.",
        headers(("etag" = String, description = "Its revision.")))),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Result<(Revision, Json<SmartboxView>), Trouble> {
    let row = app.control.find(&who, &name).await?;
    let view = view::whole(&app, app.control.view(&row.id).await?);
    Ok((Revision(view.revision), Json(view)))
}
