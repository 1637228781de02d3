//! `GET /api/v1/messages/{id}/events`: what happens to a message, live, until its last event.

use axum::extract::{Path, State};
use axum::response::Response;
use futures_util::StreamExt;
use smartbox_api::sse;

use super::get::find;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::stream;
use crate::http::trouble::Trouble;

/// What happens to a message, live, until its last event.
///
/// Server-sent events: the word of a `TurnEvent`, and that event as one line of JSON. The last is
/// `answered` or `failed`; of a message that is over only the last comes.
#[utoipa::path(
    get,
    path = "/api/v1/messages/{id}/events",
    tag = "messages",
    responses((status = 200, body = sse::Event, content_type = "text/event-stream",
        description = "The events.")),
)]
pub(super) async fn events(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let message = find(&app, &who, &id).await?;
    let events = app.control.follow(&message.id);
    Ok(stream::events(events.map(|event| sse::encode(&event))))
}
