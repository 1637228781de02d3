//! `POST /api/super/users/{id}/message`: says something to the PA box and waits for its answer, 25
//! seconds at the most. The message is committed before anything else; what is still going on then can
//! be read under its id.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smartbox_api::paths;
use smartbox_api::problem::Code;
use smartbox_control::NewMessage;
use smartbox_core::engine::TurnEvent;

use super::user;
use crate::app::App;
use crate::http::body;
use crate::http::principal::{self, Principal};
use crate::http::trouble::Trouble;

const PATIENCE: Duration = Duration::from_secs(25);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Said {
    message: String,
    #[serde(default)]
    session_key: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Heard {
    status: &'static str,
    session_key: String,
    message_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    check_status_url: String,
}

pub(super) async fn post(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    body::Json(said): body::Json<Said>,
) -> Result<Response, Trouble> {
    let (_, pa) = user::pa(&app, &id).await?;
    principal::tell(&app, &who, &pa, "message.post").await?;
    let session = said.session_key.unwrap_or_else(|| "main".into());
    let new = NewMessage {
        id: None,
        session: Some(session.clone()),
        channel: "admin".into(),
        text: said.message,
    };
    let message = app.control.accept(&pa.id, new).await?;
    let last = async {
        let mut events = app.control.follow(&message.id);
        let mut last = None;
        while let Some(event) = events.next().await {
            last = Some(event);
        }
        last
    };
    let last = tokio::time::timeout(PATIENCE, last).await.ok().flatten();
    let mut heard = Heard {
        status: "pending",
        session_key: session,
        message_id: message.id.to_string(),
        reply: None,
        response: None,
        note: None,
        check_status_url: paths::message(message.id.as_str()),
    };
    match last {
        Some(TurnEvent::Answered(text)) => {
            heard.status = "complete";
            heard.response = Some(json!({ "result": { "payloads": [{ "text": text }] } }));
            heard.reply = Some(text);
            Ok((StatusCode::OK, Json(heard)).into_response())
        }
        Some(TurnEvent::Failed(why)) => {
            Err(Trouble::new(Code::Upstream, why, "`smartbox logs` shows what the engine says"))
        }
        _ => {
            heard.note = Some(
                "it is kept and will be answered; read it at checkStatusUrl, with the secret as a bearer",
            );
            Ok((StatusCode::ACCEPTED, Json(heard)).into_response())
        }
    }
}
