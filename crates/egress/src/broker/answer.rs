//! What a program in a box asked of the proxy.

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use smartbox_core::egress::port::{Happening, Passage, Standing};
use smartbox_core::egress::{BadHost, Refusal};
use smartbox_core::id::SmartboxId;

use super::body::Body;
use super::case::Case;
use super::refuse::refuse;
use super::target::Target;
use super::{Inner, connect, forward};

/// Answers one request.
pub(crate) async fn answer(
    inner: &Arc<Inner>,
    id: &SmartboxId,
    request: Request<Incoming>,
) -> Response<Body> {
    let standing = match inner.parts.rules.standing(id).await {
        Ok(standing) => standing,
        Err(error) => {
            tracing::warn!(smartbox = %id, %error, "a policy could not be read");
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            return response;
        }
    };
    let connect = request.method() == Method::CONNECT;
    let scheme = request.uri().scheme_str();
    let default = match (connect, scheme) {
        (true, None) => None,
        (false, Some("http")) => Some(80),
        _ => return misread(inner, id, &standing, "", Refusal::Malformed),
    };
    let authority = request.uri().authority().map_or("", |authority| authority.as_str());
    let target = match Target::parse(authority, default) {
        Ok(target) => target,
        Err(BadHost { host, .. }) => return misread(inner, id, &standing, &host, Refusal::Host),
    };
    let Some(target) = inner.meant(id, &target) else {
        return misread(inner, id, &standing, &target.host.to_string(), Refusal::Unresolved);
    };
    let case = Case { inner: inner.clone(), id: id.clone(), target, standing, secure: false };
    if connect {
        connect::tunnel(case, request).await
    } else {
        forward::forward(case, request).await
    }
}

/// Refuses what names no host that could be asked about.
fn misread(
    inner: &Inner,
    id: &SmartboxId,
    standing: &Standing,
    host: &str,
    why: Refusal,
) -> Response<Body> {
    let what = Happening::Refused(why);
    let passage = Passage { smartbox: id.clone(), host: host.to_owned(), port: 0, what };
    inner.parts.witness.note(passage);
    refuse(why, &standing.name, host, 0)
}
