//! `POST /api/v1/boxes/{name}/config/reload`: the engine goes by its file.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::config::Reloaded;

use crate::app::App;
use crate::http::principal::{self, Principal};
use crate::http::trouble::Trouble;

/// Sees to it that the running engine goes by its file.
///
/// Writes the platform's part into the file again, waits until the engine has taken it up, and
/// restarts the box if that is what it takes. A box that sleeps is not woken.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/config/reload",
    tag = "config",
    responses((status = 200, body = Reloaded, description = "How the engine stands to its file.")),
)]
pub(super) async fn reload(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Result<Json<Reloaded>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    principal::tell(&app, &who, &row, "config.reload").await?;
    let applied = app.control.reload_config(&who.actor, &row.id).await?;
    Ok(Json(Reloaded { applied }))
}
