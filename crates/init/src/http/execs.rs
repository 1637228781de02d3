//! Commands beside the engine.

use std::sync::Arc;

use http::{Response, StatusCode};
use hyper::body::Incoming;
use smartbox_link::wire::EXEC_HEADER;

use super::answer::{Refused, with};
use super::body::Answer;
use super::query;
use crate::exec::{self, ExecFault};
use crate::state::State;

/// Begins a command; the answer is its frames.
pub(crate) async fn post(state: Arc<State>, body: Incoming) -> Result<Response<Answer>, Refused> {
    match exec::begin(state, body).await {
        Ok((id, frames)) => {
            let mut response = with(StatusCode::OK, Answer::Words(frames));
            response.headers_mut().insert(EXEC_HEADER, id.into());
            Ok(response)
        }
        Err(ExecFault::Bad(why)) => Err(Refused::bad(why)),
        Err(full @ ExecFault::Full) => {
            Err(Refused(StatusCode::SERVICE_UNAVAILABLE, full.to_string()))
        }
    }
}

/// Cancels a command.
pub(crate) fn delete(state: &State, query: Option<&str>) -> Result<Response<Answer>, Refused> {
    let id = query::get(query, "id").map_err(Refused::bad)?;
    let id = id
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Refused::bad("the query names no command"))?;
    state.execs.cancel(id);
    Ok(with(StatusCode::NO_CONTENT, Answer::Whole(None)))
}
