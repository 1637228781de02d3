//! `GET /api/v1/boxes/{name}/config`: the configuration as it stands in the home.

use axum::extract::{Path, State};
use axum::response::Response;
use smartbox_api::config::ConfigView;

use super::view::tagged;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// The configuration of the box's engine, as it stands in its home.
///
/// Wakes nothing. What the owner wrote and what is the platform's are kept apart.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/config",
    tag = "config",
    responses((status = 200, body = ConfigView, description = "The configuration.",
        headers(("etag" = String, description = "The document's digest.")))),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Result<Response, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let config = app.control.config(&row.id).await?;
    let digest = config.digest.clone();
    let view = ConfigView {
        digest: config.digest,
        revision: config.revision.map(|revision| revision.seq),
        document: config.owner,
        effective: config.effective,
        platform: config.platform,
        overridden: config.overridden,
        unreadable: config.unreadable,
    };
    Ok(tagged(&digest, view))
}
