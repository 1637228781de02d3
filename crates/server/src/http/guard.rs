//! What stands before every handler: who acts, where it comes from, how long the body is.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_LENGTH;
use smartbox_api::problem::Code;
use smartbox_core::person::Right;

use super::origin::{self, From};
use super::route::{Limit, Policy};
use super::{page, principal, toll, trouble::Trouble};
use crate::app::App;

/// The rules of one route.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) app: App,
    pub(super) policy: Policy,
    pub(super) limit: Limit,
    pub(super) socket: bool,
}

pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match check(&guard, request).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal,
    }
}

async fn check(guard: &Guard, request: Request) -> Result<Request, Response> {
    let (mut parts, body) = request.into_parts();
    // Browsers open sockets for every page, and ask nobody whether they may.
    let changes = guard.socket || !origin::harmless(&parts.method);
    let from = origin::from(&parts.headers, guard.app.site.scheme());
    // Whoever asks, and whatever they carry: a change that another site's page makes is refused.
    if changes && from == From::Other {
        return Err(foreign().into_response());
    }
    // Nor is anything looked up for what another site's page fetches: its visitor pays no toll for it.
    if origin::uninvited(&parts.method, &parts.headers) {
        return Err(foreign().into_response());
    }
    toll::enter(&guard.app, &parts).await.map_err(IntoResponse::into_response)?;
    let who = match guard.policy {
        // Nobody is asked who they are: whoever may not come in must be able to read that.
        Policy::Public => None,
        Policy::Admin => Some(principal::admin(&guard.app, &parts).await),
        _ => principal::find(&guard.app, &parts).await.transpose(),
    };
    let who = match who.transpose() {
        Ok(Some(who)) => Some(who),
        Ok(None) if guard.policy == Policy::Public => None,
        refused => {
            toll::unknown(&guard.app, &parts).await;
            refused.map_err(IntoResponse::into_response)?
        }
    };
    match (guard.policy, who) {
        (Policy::Public, _) => {}
        (Policy::Api(_) | Policy::Operator(_) | Policy::Admin, None) => {
            return Err(Trouble::unauthenticated().into_response());
        }
        (Policy::Session(_), None) => return Err(page::ask(&guard.app, &parts).await),
        (_, Some(who)) => {
            // A cookie proves nothing about who made the browser ask.
            if changes && who.by_cookie && from != From::Own {
                return Err(foreign().into_response());
            }
            let passed = toll::pass(&guard.app, &who, &parts, guard.socket).await;
            passed.map_err(IntoResponse::into_response)?;
            let who = match guard.policy {
                Policy::Operator(needs) => who.operating(needs),
                Policy::Api(needs) | Policy::Session(needs) => who.needing(needs),
                // The original knew one secret for all: a key that may less looks, and changes nothing.
                Policy::Admin if !changes => who.operating(Right::Read),
                Policy::Admin | Policy::Public => who.operating(Right::Own),
            };
            let who = who.map_err(IntoResponse::into_response)?;
            let who = who.acting(&guard.app, &parts).await.map_err(IntoResponse::into_response)?;
            parts.extensions.insert(who);
        }
    }
    let declared = parts.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if let (Limit::Bytes(limit), Some(length)) = (guard.limit, declared) {
        let length: u64 = length;
        if length > limit as u64 {
            return Err(Trouble::too_large(limit).into_response());
        }
    }
    parts.extensions.insert(guard.limit);
    Ok(Request::from_parts(parts, body))
}

fn foreign() -> Trouble {
    Trouble::new(
        Code::Forbidden,
        "this request was made by another site's page",
        "open the platform at its own address and try again from there",
    )
}
