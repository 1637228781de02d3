//! `GET /api/v1/boxes/{name}/logs`: what the engine wrote and what the platform did, as lines. Wakes
//! nothing.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use smartbox_api::log::{LINES, LinesQuery, LogLine, MAX_LINES, SOME_LINES, Sources};
use smartbox_api::problem::Code;
use smartbox_control::{Begin, ControlError, Lines};
use smartbox_core::log::{Line, parse_since};
use smartbox_core::time::Timestamp;

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// How long nothing happens before the client is told so.
const QUIET: Duration = Duration::from_secs(15);

/// What the engine wrote and what the platform did, as lines; with `follow` also what comes.
///
/// Each line of the reply is a JSON document. Wakes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/logs",
    tag = "log",
    params(LinesQuery),
    responses((status = 200, body = LogLine, content_type = "application/x-ndjson",
        description = "Lines, the oldest first. An empty line means that nothing happens.")),
)]
pub(super) async fn lines(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(query): Query<LinesQuery>,
) -> Result<Response, Trouble> {
    let which = which(&query, app.clock.now())?;
    let row = app.control.find(&who, &name).await?;
    let lines = app.control.lines(&row.id, which).await?;
    let body = stream::unfold(lines, |mut lines| async move {
        let written = match tokio::time::timeout(QUIET, lines.next()).await {
            Ok(next) => written(next?),
            Err(_) => Ok(Bytes::from_static(b"\n")),
        };
        Some((written, lines))
    });
    Ok(([(CONTENT_TYPE, LINES)], Body::from_stream(body)).into_response())
}

fn written(line: Result<Line, ControlError>) -> Result<Bytes, ControlError> {
    let mut text = serde_json::to_vec(&LogLine::from(line?)).unwrap_or_default();
    text.push(b'\n');
    Ok(text.into())
}

fn which(query: &LinesQuery, now: Timestamp) -> Result<Lines, Trouble> {
    let bad = |what: String, hint: &str| Trouble::new(Code::BadRequest, what, hint);
    let begin = match (&query.after, &query.since) {
        (Some(_), _) if query.since.is_some() || query.tail.is_some() => {
            return Err(bad("`after` is given with `since` or `tail`".into(), ""));
        }
        (Some(after), _) => Begin::After(after.parse().map_err(|_| {
            bad("`after` is not a place in a log".into(), "give the `cursor` of a line")
        })?),
        (None, Some(since)) => Begin::Since(parse_since(since, now).map_err(|e| {
            let hint =
                "write a length of time like 10m, 2h or 7d, or a time like 2026-11-27T20:50:46Z";
            bad(e.to_string(), hint)
        })?),
        (None, None) => Begin::Last,
    };
    let usual = if begin == Begin::Last { SOME_LINES } else { MAX_LINES };
    Ok(Lines {
        engine: query.source != Sources::Platform,
        platform: query.source != Sources::Engine,
        begin,
        most: query.tail.unwrap_or(usual).min(MAX_LINES),
        follow: query.follow,
    })
}
