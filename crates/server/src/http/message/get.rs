//! `GET /api/v1/messages/{id}`: where a message is.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::message::MessageView;
use smartbox_core::message::Message;

use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Where a message is.
#[utoipa::path(
    get,
    path = "/api/v1/messages/{id}",
    tag = "messages",
    responses((status = 200, body = MessageView, description = "The message.")),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<MessageView>, Trouble> {
    Ok(Json(find(&app, &who, &id).await?.into()))
}

/// The message, if it is to a box of the asker's account. Another's is missing.
pub(super) async fn find(app: &App, who: &Principal, id: &str) -> Result<Message, Trouble> {
    let missing = || Trouble::missing("message");
    let message = app.control.message(&id.parse().map_err(|_| missing())?).await?;
    match app.control.find(who, message.smartbox.as_str()).await {
        Ok(_) => Ok(message),
        Err(smartbox_control::ControlError::Missing { .. }) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}
