//! `DELETE /api/v1/boxes/{name}`: removes a box, home and all. Answers once it is gone, or once it
//! has taken longer than a person waits; it is then still on its way out.

use std::time::Duration;

use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_api::smartbox::RemoveBox;
use smartbox_control::ControlError;
use smartbox_core::snapshot::record::Leaving;

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const PATIENCE: Duration = Duration::from_mins(1);

/// Removes the box with its home.
///
/// A last snapshot is taken, and its snapshots stay for a while: `POST /api/v1/tombstones/{id}/undelete`
/// brings it back. With `purge` nothing stays. While the last snapshot cannot be taken the box stays
/// and says why; with `force` it goes without. Answered once it is gone, or once that has taken longer than a person waits: it is then still on
/// its way out.
#[utoipa::path(
    delete,
    path = "/api/v1/boxes/{name}",
    tag = "boxes",
    params(RemoveBox),
    responses((status = 204, description = "It is gone.")),
)]
pub(super) async fn remove(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(how): Query<RemoveBox>,
) -> Result<StatusCode, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let leaving = match (how.purge, how.force) {
        (true, _) => Leaving::Purge,
        (false, true) => Leaving::Force,
        (false, false) => Leaving::Bury,
    };
    app.control.remove_with(&who.actor, &row.id, leaving).await?;
    match app.control.settle(&row.id, &[], PATIENCE).await {
        Ok(_) | Err(ControlError::Missing { .. }) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(error.into()),
    }
}
