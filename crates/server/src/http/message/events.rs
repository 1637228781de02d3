//! `GET /api/v1/messages/{id}/events`: what happens to a message, live, until its last event.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use smartbox_api::sse;

use super::get::find;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// How long nothing happens before the client is told so.
const QUIET: Duration = Duration::from_secs(15);

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
    let body = stream::unfold(events, |mut events| async move {
        let text = match tokio::time::timeout(QUIET, events.next()).await {
            Ok(None) => return None,
            Ok(Some(event)) => sse::encode(&event),
            Err(_) => sse::KEEP_ALIVE.to_owned(),
        };
        Some((Ok::<_, Infallible>(Bytes::from(text)), events))
    });
    Ok(([(CONTENT_TYPE, sse::MEDIA_TYPE)], Body::from_stream(body)).into_response())
}
