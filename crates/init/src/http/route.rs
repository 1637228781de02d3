//! Which request does what. The fence comes first.

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use smartbox_link::wire;

use super::answer::{Refused, json};
use super::body::Answer;
use super::{engine, execs, files};
use crate::fence::Fence;
use crate::state::State;

/// Answers one request.
pub(crate) async fn route(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Infallible> {
    Ok(answered(state, request).await.unwrap_or_else(Into::into))
}

async fn answered(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Refused> {
    admit(&state.fence, request.headers())?;
    let path = request.uri().path().to_owned();
    match (request.method(), path.as_str()) {
        (&Method::GET, wire::STATUS) => Ok(json(StatusCode::OK, &state.status())),
        (&Method::PUT, wire::ENGINE) => engine::put(&state, request.into_body()).await,
        (&Method::DELETE, wire::ENGINE) => engine::delete(&state, request.uri().query()).await,
        (&Method::POST, wire::EXECS) => execs::post(state, request.into_body()).await,
        (&Method::DELETE, wire::EXECS) => execs::delete(&state, request.uri().query()),
        (&Method::GET, wire::FILES) => files::get(&state, request.uri().query()).await,
        (&Method::PUT, wire::FILES) => files::put(&state, request).await,
        (_, wire::STATUS | wire::ENGINE | wire::EXECS | wire::FILES) => {
            Err(Refused(StatusCode::METHOD_NOT_ALLOWED, "there is no such method here".into()))
        }
        _ => Err(Refused(StatusCode::NOT_FOUND, "there is no such path".into())),
    }
}

fn admit(fence: &Fence, headers: &HeaderMap) -> Result<(), Refused> {
    let mut values = headers.get_all(wire::FENCE_HEADER).iter();
    let token = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().and_then(token),
        _ => None,
    };
    let token = token.ok_or_else(|| Refused::bad("the request carries no fencing token"))?;
    if fence.admits(token) {
        return Ok(());
    }
    Err(Refused(StatusCode::CONFLICT, "the sandbox belongs to a newer owner".into()))
}

/// Digits and nothing else: `parse` alone would take a sign.
fn token(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(values: &[&str]) -> Option<StatusCode> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(wire::FENCE_HEADER, value.parse().unwrap());
        }
        admit(&Fence::new(5), &headers).err().map(|refused| refused.0)
    }

    #[test]
    fn a_request_without_one_plain_token_is_not_understood() {
        for values in [&[][..], &[""], &["+5"], &["x"], &["5", "6"], &["99999999999999999999"]] {
            assert_eq!(status(values), Some(StatusCode::BAD_REQUEST), "{values:?}");
        }
        assert_eq!(status(&["4"]), Some(StatusCode::CONFLICT));
        assert_eq!(status(&["5"]), None);
    }
}
