//! `GET /api/super/users/{id}/sessions`: the conversations of the PA box, the newest first; as many as
//! the original listed. Wakes the box, since only its engine knows.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use smartbox_core::engine::Conversation;
use smartbox_core::time::Timestamp;

use super::user;
use crate::app::App;
use crate::http::trouble::Trouble;

const MOST: u32 = 20;

/// One of them. The original showed the directory that they are in, as text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    /// What `message` takes.
    session_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_activity: Option<Timestamp>,
    working: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sessions {
    user_id: String,
    sessions: Vec<Session>,
    count: usize,
    timestamp: Timestamp,
}

impl Session {
    fn of(found: Conversation) -> Self {
        Self {
            session_key: found.key,
            title: found.title,
            message_count: found.messages,
            last_activity: found.updated,
            working: found.working,
        }
    }
}

pub(super) async fn list(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Sessions>, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    let found = app.control.conversations(&pa.id, None, MOST).await?.items;
    let sessions: Vec<Session> = found.into_iter().map(Session::of).collect();
    Ok(Json(Sessions {
        user_id: account.id.to_string(),
        count: sessions.len(),
        sessions,
        timestamp: app.clock.now(),
    }))
}
