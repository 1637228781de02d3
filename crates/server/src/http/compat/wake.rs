//! `POST /api/super/users/{id}/wake`: wakes the PA box and waits for it, a minute at the most.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use smartbox_control::ControlError;
use smartbox_core::smartbox::State as BoxState;

use super::shape::{Word, word};
use super::user;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Woken {
    user_id: String,
    previous_state: Word,
    current_state: Word,
    action: &'static str,
    message: &'static str,
    waited_ms: u64,
}

pub(super) async fn wake(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    let began = app.clock.now();
    app.control.wake(&who.actor, &pa.id).await?;
    let settled = app.control.settle(&pa.id, &[BoxState::Running], PATIENCE).await;
    let (status, now, action, message) = match settled {
        Ok(_) if pa.state == BoxState::Running => {
            (StatusCode::OK, BoxState::Running, "none", "it was awake")
        }
        Ok(row) => (StatusCode::OK, row.state, "started", "it is awake"),
        Err(ControlError::Late { state }) => {
            let message = "it is still on its way; ask for its state";
            (StatusCode::GATEWAY_TIMEOUT, state, "timeout", message)
        }
        Err(error) => return Err(error.into()),
    };
    let waited = app.clock.now().since(began).as_millis();
    let woken = Woken {
        user_id: account.id.to_string(),
        previous_state: word(pa.state),
        current_state: word(now),
        action,
        message,
        waited_ms: u64::try_from(waited).unwrap_or(u64::MAX),
    };
    Ok((status, Json(woken)).into_response())
}
