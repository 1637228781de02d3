//! `DELETE /api/v1/boxes/{name}/execs/{id}`: stops a command. Wakes nothing.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::execs::ExecView;

use super::view;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Stops a command that waits or runs, and kills what it started.
///
/// One that is over stays as it is. Wakes nothing.
#[utoipa::path(
    delete,
    path = "/api/v1/boxes/{name}/execs/{id}",
    tag = "execs",
    responses((status = 200, body = ExecView, description = "The command as it is now.")),
)]
pub(super) async fn remove(
    State(app): State<App>,
    who: Principal,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<ExecView>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let id = id.parse().map_err(|_| Trouble::missing("command"))?;
    Ok(Json(view(app.control.cancel_exec(&who.actor, &row, &id).await?)?))
}
