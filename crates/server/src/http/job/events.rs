//! `GET /api/v1/jobs/{id}/events`: what happens to a job, live, until its last event.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode};
use smartbox_api::job::{EventQuery, LAST_EVENT_HEADER};
use smartbox_api::problem::Code;
use smartbox_api::sse;

use super::get::find;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::stream;
use crate::http::trouble::Trouble;

/// What happens to a job, live, until its last event, which is its final state.
///
/// Server-sent events: the `id` is the event's number, the word is `state`, `progress`, `log` or
/// `truncated`, and the data is the event as one line of JSON. A client that was cut off says the
/// last number that it saw, in the header `Last-Event-ID` or as `after`, and misses nothing. 204:
/// there is nothing after that, and never will be.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/events",
    tag = "jobs",
    params(EventQuery, ("last-event-id" = Option<u64>, Header, description = "The last event that was seen.")),
    responses(
        (status = 200, body = sse::Event, content_type = "text/event-stream", description = "The events."),
        (status = 204, description = "Nothing comes after that event."),
    ),
)]
pub(super) async fn events(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    Query(which): Query<EventQuery>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let job = find(&app, &who, &id).await?;
    let after = match headers.get(LAST_EVENT_HEADER) {
        None => which.after.unwrap_or(0),
        Some(value) => value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
            Trouble::new(Code::BadRequest, "`Last-Event-ID` is not the number of an event", "")
        })?,
    };
    let mut events = app.control.follow_job(&job.id, after).peekable();
    if job.state.is_final() && std::pin::Pin::new(&mut events).peek().await.is_none() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let lines = events.map(|event| sse::numbered(event.seq, event.what.word(), &event));
    Ok(stream::events(lines))
}
