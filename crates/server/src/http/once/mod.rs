//! `Idempotency-Key`: what is asked twice under one key of the asker's is done once, and answered
//! twice. It stands behind the guard of every `POST` of the API that is read whole.
//!
//! The key is taken before anything is done, and the reply is kept before it is sent. A platform
//! that dies in between leaves a key without a reply: whether the thing was done is then unknown,
//! and the next who asks is told so rather than have it done twice. What was begun goes on when its
//! asker goes away, since that is what the key is for.

mod kept;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sha2::{Digest, Sha256};
use smartbox_api::problem::Code;
use smartbox_core::id::AccountId;
use smartbox_core::reply::{Asked, Before, is_key};
use smartbox_core::store::{self, StoreError};

use super::body;
use super::principal::Principal;
use super::route::{Limit, Policy};
use super::trouble::Trouble;
use crate::app::App;

/// The header with the key.
pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// On a reply that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("smartbox-replayed");
/// On a reply that is not kept.
const NOT_KEPT: HeaderName = HeaderName::from_static("smartbox-not-kept");
const YES: HeaderValue = HeaderValue::from_static("true");

/// Whether it stands before such a route. A stream has no whole to compare or to keep.
pub(super) fn stands_before(method: &Method, policy: Policy, limit: Limit) -> bool {
    *method == Method::POST && matches!(policy, Policy::Api(_)) && matches!(limit, Limit::Bytes(_))
}

pub(super) async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    match key(request.headers()) {
        Ok(None) => next.run(request).await,
        Ok(Some(key)) => {
            under(&app, key, request, next).await.unwrap_or_else(|e| e.into_response())
        }
        Err(trouble) => trouble.into_response(),
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Trouble> {
    let mut lines = headers.get_all(KEY).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let text = line.to_str().ok().filter(|text| is_key(text) && lines.next().is_none());
    text.map(|text| Some(text.to_owned())).ok_or_else(|| {
        let hint = "send one of 1 to 255 visible characters of ASCII, like a UUID";
        Trouble::new(Code::BadRequest, "the `Idempotency-Key` is not one", hint)
    })
}

async fn under(app: &App, key: String, request: Request, next: Next) -> Result<Response, Trouble> {
    let who = request.extensions().get::<Principal>().ok_or_else(Trouble::unauthenticated)?;
    let asked = asked(who.home().clone(), &request, who.keyed(key));
    let (mut parts, body) = request.into_parts();
    let bytes = body::whole(&parts.extensions, body).await?;
    let digest = digest(parts.uri.query(), parts.headers.get(CONTENT_TYPE), &bytes);
    parts.headers.remove(KEY);
    let request = Request::from_parts(parts, Body::from(bytes));
    // A task of its own, the taking of the key included: hyper drops this future when the asker goes
    // away, and a key that was taken must be filled or given back.
    let doing = tokio::spawn(first(app.clone(), asked, digest, request, next));
    doing.await.unwrap_or_else(|_| Err(Trouble::broken()))
}

/// Does it, if nobody has done it before.
async fn first(
    app: App,
    asked: Asked,
    digest: String,
    request: Request,
    next: Next,
) -> Result<Response, Trouble> {
    let run = app.run().to_owned();
    match begin(&app, asked.clone(), digest, run.clone()).await? {
        Before::New => {
            // One that panics is answered all the same, and its key given back.
            let reply = tokio::spawn(next.run(request)).await.ok();
            finish(&app, asked, reply).await
        }
        Before::Doing { run: whose } if whose == run => Err(busy()),
        Before::Doing { .. } => Err(unknown()),
        Before::Done(reply) => {
            let mut reply = kept::read(reply.expose()).ok_or_else(unknown)?;
            reply.headers_mut().insert(REPLAYED, YES);
            Ok(reply)
        }
        Before::TooLong => Err(too_long()),
        Before::Other => Err(other()),
    }
}

fn asked(account: AccountId, request: &Request, key: String) -> Asked {
    Asked { account, route: format!("{} {}", request.method(), request.uri().path()), key }
}

/// Tells one request from another.
fn digest(query: Option<&str>, kind: Option<&HeaderValue>, body: &Bytes) -> String {
    let mut hash = Sha256::new();
    for part in [query.unwrap_or_default().as_bytes(), kind.map_or(b"", HeaderValue::as_bytes)] {
        // Lengths first, so that nothing can move from one part into the next.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(body);
    hex::encode(hash.finalize())
}

async fn begin(app: &App, asked: Asked, digest: String, run: String) -> Result<Before, StoreError> {
    let now = app.clock.now();
    store::write(&*app.store, move |tx| {
        Box::pin(async move { tx.replies().begin(asked, digest, run, now).await })
    })
    .await
}

/// Keeps the reply, or gives the key back if nothing was done for good.
async fn finish(app: &App, asked: Asked, reply: Option<Response>) -> Result<Response, Trouble> {
    let Some(reply) = reply else {
        forget(app, asked).await?;
        return Err(Trouble::broken());
    };
    // Who is told to come again is let in again.
    if reply.status().is_server_error() || reply.headers().contains_key(RETRY_AFTER) {
        forget(app, asked).await?;
        return Ok(reply);
    }
    let (mut reply, text) = kept::write(reply).await;
    if text.is_none() {
        reply.headers_mut().insert(NOT_KEPT, YES);
    }
    store::write(&*app.store, move |tx| {
        Box::pin(async move { tx.replies().keep(asked, text).await })
    })
    .await?;
    Ok(reply)
}

async fn forget(app: &App, asked: Asked) -> Result<(), StoreError> {
    store::write(&*app.store, move |tx| Box::pin(async move { tx.replies().forget(asked).await }))
        .await
}

fn busy() -> Trouble {
    let hint = "ask again in a moment for its answer";
    Trouble::new(Code::Conflict, "the same is being done just now", hint).retry(1)
}

fn unknown() -> Trouble {
    Trouble::new(
        Code::Conflict,
        "the platform ended while it did this, so it is not known whether it was done",
        "look whether it was done; to have it done again, ask with a new key",
    )
}

fn too_long() -> Trouble {
    let hint = "look at what it made; to have it done again, ask with a new key";
    Trouble::new(Code::Conflict, "it was done; its answer was too long to be kept", hint)
}

fn other() -> Trouble {
    let hint = "use a new key for each thing that is to be done";
    Trouble::new(Code::IdempotencyMismatch, "something else was asked under this key", hint)
}
