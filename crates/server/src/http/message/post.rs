//! `POST /api/v1/boxes/{name}/messages`: takes a message in. 202: it is committed.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::LOCATION;
use smartbox_api::message::{MessageView, NewMessage};
use smartbox_api::paths;

use crate::app::App;
use crate::http::body;
use crate::http::principal::{self, Principal};
use crate::http::trouble::Trouble;

/// Gives the box a message, and wakes it.
///
/// Once the reply is there the message is committed, whatever dies. The same id again is the same
/// message.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/messages",
    tag = "messages",
    request_body = NewMessage,
    responses((status = 202, body = MessageView, description = "It is accepted.",
        headers(("location" = String, description = "Where it can be looked at.")))),
)]
pub(super) async fn post(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    body::Json(new): body::Json<NewMessage>,
) -> Result<impl IntoResponse, Trouble> {
    let row = app.control.find(&who, &name).await?;
    // What its owner's people say is in its history; that somebody else said it is not.
    if who.operates() {
        principal::tell(&app, &who, &row, "message.post").await?;
    }
    let new = smartbox_control::NewMessage {
        id: new.id,
        session: new.session,
        channel: new.channel.unwrap_or_else(|| "api".into()).chars().take(40).collect(),
        text: new.text,
    };
    let message = app.control.accept(&row.id, new).await?;
    let location = [(LOCATION, paths::message(message.id.as_str()))];
    Ok((StatusCode::ACCEPTED, location, Json(MessageView::from(message))))
}
