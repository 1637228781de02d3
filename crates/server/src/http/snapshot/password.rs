//! `POST /api/v1/boxes/{name}/snapshots/password`.

use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_api::problem::Code;
use smartbox_api::snapshot::Password;
use smartbox_core::secret::Secret;

use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const SHORTEST: usize = 12;
const LONGEST: usize = 1024;

/// Adds a password by which the restic program opens the repository of a box.
///
/// It is not kept, and cannot be taken back: whoever had it may have read the key behind it.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/snapshots/password",
    tag = "snapshots",
    request_body = Password,
    responses((status = 204, description = "It opens the repository.")),
)]
pub(super) async fn password(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Json(body): Json<Password>,
) -> Result<StatusCode, Trouble> {
    let password = Secret::new(body.password);
    let row = app.control.find(&who, &name).await?;
    if !(SHORTEST..=LONGEST).contains(&password.expose().len()) {
        let detail = format!("a password has {SHORTEST} to {LONGEST} characters");
        return Err(Trouble::new(Code::BadRequest, detail, "make a random one"));
    }
    app.control.add_snapshot_password(&who.actor, &row.id, password).await?;
    Ok(StatusCode::NO_CONTENT)
}
