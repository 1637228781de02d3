//! `POST /api/super/users/{id}/restart-async`: gives the PA box a new sandbox, by the engine's suspend
//! contract, and answers at once.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;

use super::{shape, user};
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Restarting {
    success: bool,
    user_id: String,
    message: &'static str,
    check_status_url: String,
    note: &'static str,
}

pub(super) async fn restart(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<Restarting>, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    app.control.restart(&who.actor, &pa.id).await?;
    Ok(Json(Restarting {
        success: true,
        user_id: account.id.to_string(),
        message: "the restart is recorded and happens by itself",
        check_status_url: shape::state_of(account.id.as_str()),
        note: "a turn in progress is finished first",
    }))
}
