//! What a program in a box asked of the proxy.

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use smartbox_core::egress::port::{Happening, Passage, Standing};
use smartbox_core::egress::{BadHost, Refusal};
use smartbox_core::id::SmartboxId;
use smartbox_core::store::StoreError;

use super::asker::Asker;
use super::body::Body;
use super::case::Case;
use super::refuse::is_refusal;
use super::target::Target;
use super::{Inner, connect, forward};

/// Answers one request.
pub(crate) async fn answer(
    inner: &Arc<Inner>,
    id: &SmartboxId,
    by: Asker,
    request: Request<Incoming>,
) -> Response<Body> {
    let answer = decide(inner, id, &by, request).await;
    if is_refusal(&answer) {
        // The program may end with its answer, and what is gone cannot be looked up.
        let _ = by.wait().await;
    }
    answer
}

async fn decide(
    inner: &Arc<Inner>,
    id: &SmartboxId,
    by: &Asker,
    request: Request<Incoming>,
) -> Response<Body> {
    let counts = async { Ok((inner.parts.rules.standing(id).await?, inner.budget(id).await?)) };
    let (standing, budget) = match counts.await {
        Ok(counts) => counts,
        Err(error) => {
            let error: StoreError = error;
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
        _ => return misread(inner, id, by, &standing, "", Refusal::Malformed),
    };
    let authority = request.uri().authority().map_or("", |authority| authority.as_str());
    let target = match Target::parse(authority, default) {
        Ok(target) => target,
        Err(BadHost { host, .. }) => {
            return misread(inner, id, by, &standing, &host, Refusal::Host);
        }
    };
    let Some(target) = inner.meant(id, &target) else {
        return misread(inner, id, by, &standing, &target.host.to_string(), Refusal::Unresolved);
    };
    let (inner, id, by) = (inner.clone(), id.clone(), by.clone());
    let case = Case { inner, id, target, standing, by, budget, secure: false };
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
    by: &Asker,
    standing: &Standing,
    host: &str,
    why: Refusal,
) -> Response<Body> {
    let what = Happening::Refused(why);
    let passage = Passage { smartbox: id.clone(), host: host.to_owned(), port: 0, by: None, what };
    inner.note(passage, by);
    inner.refuse(why, &standing.name, host, 0)
}
