//! The engine's start and end.

use std::time::Duration;

use http::{Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use smartbox_link::wire::EngineOrder;
use tokio::time::timeout;

use super::answer::{Refused, json};
use super::body::Answer;
use super::query;
use crate::state::State;

/// The longest order, in bytes.
const MAX_ORDER: usize = 1 << 20;
/// How long an order may take to arrive.
const SLOW: Duration = Duration::from_secs(30);
/// The grace of a request that names none.
const GRACE_MS: u64 = 10_000;

/// Starts the engine.
pub(crate) async fn put(state: &State, body: Incoming) -> Result<Response<Answer>, Refused> {
    let whole = timeout(SLOW, Limited::new(body, MAX_ORDER).collect()).await;
    let whole =
        whole.map_err(|_| Refused(StatusCode::REQUEST_TIMEOUT, "the order is too slow".into()))?;
    let whole = whole.map_err(|_| {
        Refused(StatusCode::PAYLOAD_TOO_LARGE, "the order is too long or was cut off".into())
    })?;
    let order: EngineOrder = serde_json::from_slice(&whole.to_bytes())
        .map_err(|e| Refused::bad(format!("the order is not understood: {e}")))?;
    let started = state.engine.start(order).await;
    started.map_err(|why| {
        Refused(StatusCode::UNPROCESSABLE_ENTITY, format!("the engine does not start: {why}"))
    })?;
    Ok(json(StatusCode::OK, &state.status()))
}

/// Ends the engine.
pub(crate) async fn delete(
    state: &State,
    query: Option<&str>,
) -> Result<Response<Answer>, Refused> {
    let grace = query::get(query, "grace_ms").map_err(Refused::bad)?;
    let grace = grace.map_or(Ok(GRACE_MS), |grace| grace.parse());
    let grace = grace.map_err(|_| Refused::bad("the grace is not a number of milliseconds"))?;
    state.engine.stop(Duration::from_millis(grace)).await;
    Ok(json(StatusCode::OK, &state.status()))
}
