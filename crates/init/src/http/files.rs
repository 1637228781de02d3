//! Files of the home.

use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use smartbox_home::Fault;
use smartbox_link::wire::MAX_ANSWER;
use tokio::time::timeout;

use super::answer::{Refused, with};
use super::body::Answer;
use super::query;
use crate::files::write::Draft;
use crate::files::{FileFault, read};
use crate::state::State;

/// How long the next bytes of a file may take to arrive.
const SLOW: Duration = Duration::from_secs(30);

/// Reads a file.
pub(crate) async fn get(state: &State, query: Option<&str>) -> Result<Response<Answer>, Refused> {
    let path = path(query)?;
    let (len, pieces) = read::read(state.home.clone(), &path).await?;
    let mut response = with(StatusCode::OK, Answer::Pieces(pieces));
    response.headers_mut().insert(CONTENT_LENGTH, len.into());
    Ok(response)
}

/// Writes a file.
pub(crate) async fn put(
    state: &State,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Refused> {
    let query = request.uri().query();
    let path = path(query)?;
    let mode = query::get(query, "mode").map_err(Refused::bad)?;
    let mode = mode.map_or(Ok(0o600), |mode| u32::from_str_radix(&mode, 8));
    let mode = mode.map_err(|_| Refused::bad("the mode is not octal digits"))?;
    let mut draft = Draft::begin(state.home.clone(), &path, mode).await?;
    let mut body = request.into_body();
    let mut room = MAX_ANSWER;
    while let Some(frame) = timeout(SLOW, body.frame()).await.map_err(|_| FileFault::CutOff)? {
        let Ok(bytes) = frame.map_err(|_| FileFault::CutOff)?.into_data() else { continue };
        room = room.checked_sub(bytes.len()).ok_or(FileFault::TooLong)?;
        draft = draft.add(bytes).await?;
    }
    draft.place().await?;
    Ok(with(StatusCode::NO_CONTENT, Answer::Whole(None)))
}

fn path(query: Option<&str>) -> Result<String, Refused> {
    query::get(query, "path")
        .map_err(Refused::bad)?
        .ok_or_else(|| Refused::bad("the query names no path"))
}

impl From<FileFault> for Refused {
    fn from(fault: FileFault) -> Self {
        let status = match &fault {
            FileFault::CutOff | FileFault::Home(Fault::Bad(_)) => StatusCode::BAD_REQUEST,
            FileFault::Home(Fault::Absent | Fault::NotDirectory) => StatusCode::NOT_FOUND,
            FileFault::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            FileFault::Home(Fault::Full) => StatusCode::INSUFFICIENT_STORAGE,
            FileFault::Home(Fault::System(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            FileFault::Home(_) => StatusCode::FORBIDDEN,
        };
        Self(status, fault.to_string())
    }
}
