//! What stands before every handler: who acts, where it comes from, how long the body is.

use std::net::IpAddr;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use smartbox_api::problem::Code;
use smartbox_core::person::Right;
use smartbox_core::store::StoreError;

use super::cut::Watch;
use super::origin::{self, From};
use super::principal::{Held, Principal};
use super::route::{Limit, Policy};
use super::{cut, page, principal, toll, trouble::Trouble};
use crate::app::App;

/// The rules of one route.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) app: App,
    pub(super) policy: Policy,
    pub(super) limit: Limit,
    pub(super) socket: bool,
    pub(super) gives: bool,
}

pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let route = format!("{} {route}", request.method());
    let (parts, body) = request.into_parts();
    let stranger = principal::tries(&parts.headers).then(|| principal::address(&parts));
    let (response, who) = match check(&guard, Request::from_parts(parts, body)).await {
        Ok(request) => {
            let who = request.extensions().get::<Principal>().cloned();
            let watch = who.as_ref().and_then(Principal::watch);
            let response = match watch {
                Some(watch) => {
                    let response = run(&guard, request, next, watch.clone()).await;
                    cut::cut(&guard.app, response, watch)
                }
                None => next.run(request).await,
            };
            // What a public route answers is no sign-in that failed.
            if who.is_none() {
                return response;
            }
            (response, who)
        }
        Err(refusal) => refusal,
    };
    match told(&guard, response.status(), who, stranger, &route).await {
        Ok(()) => response,
        Err(error) => Trouble::from(error).into_response(),
    }
}

/// What comes of a request, for as long as its asker may.
async fn run(guard: &Guard, request: Request, next: Next, watch: (Watch, Held)) -> Response {
    // Whoever comes here may have nothing but this, and goes on to have it.
    if guard.policy == Policy::Browser {
        return next.run(request).await;
    }
    if !origin::harmless(request.method()) {
        // What has been asked for whole is done, whoever it ends: that may be the asker.
        let (request, heard) = cut::hear(&guard.app, request, watch);
        return heard.told(next.run(request).await);
    }
    tokio::select! {
        biased;
        response = next.run(request) => response,
        () = cut::shut_out(guard.app.clone(), Some(watch)) => {
            Trouble::unauthenticated().into_response()
        }
    }
}

/// A refusal, and of whom, if they are known.
type Refusal = (Response, Option<Principal>);

async fn check(guard: &Guard, request: Request) -> Result<Request, Refusal> {
    let nobody = |trouble: Trouble| (trouble.into_response(), None);
    let (mut parts, body) = request.into_parts();
    // Browsers open sockets for every page, and ask nobody whether they may.
    let changes = guard.socket || !origin::harmless(&parts.method);
    let from = origin::from(&parts.headers, guard.app.site.scheme());
    // Whoever asks, and whatever they carry: a change that another site's page makes is refused.
    if changes && from == From::Other {
        return Err(nobody(foreign()));
    }
    // Nor is anything looked up for what another site's page fetches: its visitor pays no toll for it.
    if origin::uninvited(&parts.method, &parts.headers) {
        return Err(nobody(foreign()));
    }
    toll::enter(&guard.app, &parts, guard.policy == Policy::Public).await.map_err(nobody)?;
    let who = match guard.policy {
        // Nobody is asked who they are: whoever may not come in must be able to read that.
        Policy::Public => None,
        Policy::Admin => Some(principal::admin(&guard.app, &parts).await),
        Policy::Browser => principal::come(&guard.app, &parts).await.transpose(),
        _ => principal::find(&guard.app, &parts).await.transpose(),
    };
    let who = match who.transpose() {
        Ok(Some(who)) => Some(who),
        Ok(None) if guard.policy == Policy::Public => None,
        refused => {
            toll::unknown(&guard.app, &parts).await;
            match refused {
                Ok(who) => who,
                Err(why) => return Err((page::refused(guard.policy, &parts, why), None)),
            }
        }
    };
    match (guard.policy, who) {
        (Policy::Public, _) => {}
        (Policy::Api(_) | Policy::Operator(_) | Policy::Admin, None) => {
            let brings = principal::tries(&parts.headers);
            let why = if brings { Trouble::unknown_token } else { Trouble::unauthenticated };
            return Err(nobody(why()));
        }
        (Policy::Session(_) | Policy::Browser, None) => {
            return Err((page::ask(&guard.app, &parts).await, None));
        }
        (policy, Some(who)) => {
            let known = who.clone();
            let refused = |trouble: Trouble| (trouble.into_response(), Some(known.clone()));
            // A cookie proves nothing about who made the browser ask.
            if changes && who.by_cookie && from != From::Own {
                return Err(refused(foreign()));
            }
            if let (true, Some(browser)) = (guard.gives, who.browser()) {
                principal::shows(&guard.app, &parts, browser).map_err(refused)?;
            }
            if let Err(wait) = toll::pass(&guard.app, &who, &parts, guard.socket).await {
                return Err(refused(wait));
            }
            let who = match policy {
                Policy::Operator(needs) => who.operating(needs),
                Policy::Api(needs) | Policy::Session(needs) => who.needing(needs),
                Policy::Browser => who.needing(Right::Read),
                // The original knew one secret for all: a key that may less looks, and changes nothing.
                Policy::Admin if !changes => who.operating(Right::Read),
                Policy::Admin | Policy::Public => who.operating(Right::Own),
            };
            let who = match who {
                Ok(who) => who.acting(&guard.app, &parts).await,
                Err(trouble) => Err(trouble),
            };
            parts.extensions.insert(who.map_err(refused)?);
        }
    }
    let declared = parts.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if let (Limit::Bytes(limit), Some(length)) = (guard.limit, declared) {
        let length: u64 = length;
        if length > limit as u64 {
            return Err(nobody(Trouble::too_large(limit)));
        }
    }
    parts.extensions.insert(guard.limit);
    Ok(Request::from_parts(parts, body))
}

/// Has the audit say what was refused: of whom is known, authority; of who brings something that nobody
/// knows, a sign-in.
async fn told(
    guard: &Guard,
    status: StatusCode,
    who: Option<Principal>,
    stranger: Option<Option<IpAddr>>,
    route: &str,
) -> Result<(), StoreError> {
    let app = &guard.app;
    match (status, who, stranger) {
        (StatusCode::FORBIDDEN, Some(who), _) => {
            let account = who.home().clone();
            app.denials.authority(app, account, who.actor.0, route).await
        }
        // The admin secret's refusal is 403, as the original's is.
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, None, Some(from)) => {
            app.denials.sign_in(app, from).await
        }
        _ => Ok(()),
    }
}

fn foreign() -> Trouble {
    Trouble::new(
        Code::Forbidden,
        "this request was made by another site's page",
        "open the platform at its own address and try again from there",
    )
}
