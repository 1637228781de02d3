//! Answers: JSON, or a refusal with one sentence.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;
use smartbox_link::wire::Refusal;

use super::body::Answer;

/// A refusal: its status and its sentence.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) StatusCode, pub(crate) String);

impl Refused {
    /// The request is not understood.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, message.into())
    }
}

impl From<Refused> for Response<Answer> {
    fn from(refused: Refused) -> Self {
        json(refused.0, &Refusal { message: refused.1 })
    }
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response<Answer> {
    let bytes = serde_json::to_vec(value).map(Bytes::from).unwrap_or_default();
    with(status, Answer::Whole(Some(bytes)))
}

/// An answer with this body.
pub(crate) fn with(status: StatusCode, body: Answer) -> Response<Answer> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
