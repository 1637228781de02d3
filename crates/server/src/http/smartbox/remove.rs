//! `DELETE /api/v1/boxes/{name}`: removes a box, home and all. Answers once it is gone, or once it
//! has taken longer than a person waits; it is then still on its way out.

use std::time::Duration;

use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_control::ControlError;

use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const PATIENCE: Duration = Duration::from_mins(1);

/// Removes the box with its home.
///
/// Answered once it is gone, or once that has taken longer than a person waits: it is then still on
/// its way out.
#[utoipa::path(
    delete,
    path = "/api/v1/boxes/{name}",
    tag = "boxes",
    responses((status = 204, description = "It is gone.")),
)]
pub(super) async fn remove(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Result<StatusCode, Trouble> {
    let row = app.control.find(&who, &name).await?;
    app.control.remove(&who.actor, &row.id).await?;
    match app.control.settle(&row.id, &[], PATIENCE).await {
        Ok(_) | Err(ControlError::Missing { .. }) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(error.into()),
    }
}
