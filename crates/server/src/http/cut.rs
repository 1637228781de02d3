//! Open connections end when their asker may no more: a body that still comes and a reply that streams are
//! broken off, a socket is closed. Asked is the record: at once when somebody was shut out, or may less, and
//! now and then, for what ends by the clock.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use smartbox_core::secret::Secret;
use tokio::sync::watch;

use super::principal::{Held, Principal};
use super::trouble::Trouble;
use crate::access::{Caller, Seat, Stage};
use crate::app::App;

/// A session, a token, or the word of somebody else may end while nobody does anything, and a browser may
/// show its key no more; whoever has something open is there, which is noted.
const NOW_AND_THEN: Duration = Duration::from_secs(60);

/// What somebody signed in by.
#[derive(Debug, Clone)]
pub(super) enum Witness {
    Token(Arc<Secret<String>>),
    Cookie(Arc<Secret<String>>),
    /// Nothing of ours: somebody else vouched for them, for a time.
    Word(Box<Caller>),
}

impl Witness {
    pub(super) fn token(value: &str) -> Self {
        Self::Token(Arc::new(Secret::new(value.to_owned())))
    }
}

/// By what it is known whether somebody may still.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    ended: watch::Receiver<u64>,
    by: Witness,
}

impl Watch {
    /// `ended` was asked for before they were looked up.
    pub(super) fn new(ended: watch::Receiver<u64>, by: Witness) -> Self {
        Self { ended, by }
    }

    async fn stands(&self, app: &App, held: &Held) -> bool {
        let caller = match &self.by {
            Witness::Token(value) => app.access.still(value.expose()).await,
            Witness::Cookie(value) => app.access.seat(value.expose(), None).await.map(|seat| {
                // A browser that has a key goes on showing it, or what it has opened ends.
                let ready = |seat: &Seat| seat.stage(app.clock.now()) == Stage::In;
                seat.filter(ready).map(|seat| seat.caller())
            }),
            Witness::Word(caller) => app.access.again(caller).await,
        };
        let unknown = |why: &str| {
            tracing::warn!(error = why, "nobody knows whether a connection may stay open");
        };
        match caller {
            Ok(Some(caller)) => match Principal::may_hold(app, caller, held).await {
                Ok(may) => may,
                Err(trouble) => {
                    unknown(&trouble.problem().detail);
                    false
                }
            },
            Ok(None) => false,
            Err(error) => {
                unknown(&error.to_string());
                false
            }
        }
    }
}

/// Ends when they may no more.
pub(super) async fn shut_out(app: App, watch: Option<(Watch, Held)>) {
    let Some((mut watch, held)) = watch else { return std::future::pending().await };
    loop {
        let changed = tokio::time::timeout(NOW_AND_THEN, watch.ended.changed()).await;
        if matches!(changed, Ok(Err(_))) {
            // The platform goes down, and says so itself.
            return std::future::pending().await;
        }
        if !watch.stands(&app, &held).await {
            return;
        }
    }
}

/// The response; if it streams, as long as its asker may have it.
pub(super) fn cut(app: &App, response: Response, watch: (Watch, Held)) -> Response {
    response.map(|body| {
        if http_body::Body::size_hint(&body).exact().is_some() {
            return body;
        }
        Body::new(Cut::new(app, body, watch, Arc::default()))
    })
}

/// Whether a request's body was broken off because its asker may no more.
#[derive(Debug)]
pub(super) struct Heard(Arc<AtomicBool>);

impl Heard {
    /// What they are told: that, in place of what came of half a body.
    pub(super) fn told(&self, response: Response) -> Response {
        if self.0.load(Ordering::SeqCst) && !response.status().is_success() {
            return Trouble::unauthenticated().into_response();
        }
        response
    }
}

/// The request; as much of its body as its asker may send.
pub(super) fn hear(app: &App, request: Request, watch: (Watch, Held)) -> (Request, Heard) {
    let told = Arc::<AtomicBool>::default();
    let heard = Heard(told.clone());
    let request = request.map(|body| {
        if http_body::Body::is_end_stream(&body) {
            return body;
        }
        Body::new(Cut::new(app, body, watch, told))
    });
    (request, heard)
}

struct Cut {
    body: Body,
    shut_out: Pin<Box<dyn Future<Output = ()> + Send>>,
    over: bool,
    told: Arc<AtomicBool>,
}

impl Cut {
    fn new(app: &App, body: Body, watch: (Watch, Held), told: Arc<AtomicBool>) -> Self {
        let shut_out = Box::pin(shut_out(app.clone(), Some(watch)));
        Self { body, shut_out, over: false, told }
    }
}

impl http_body::Body for Cut {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if self.shut_out.as_mut().poll(cx).is_ready() {
            self.over = true;
            self.told.store(true, Ordering::SeqCst);
            // What was behind it ends with it: a command is hung up.
            self.body = Body::empty();
            // An error, so that nobody takes what came for all there is.
            let why = std::io::Error::other("its asker may not have the rest");
            return Poll::Ready(Some(Err(axum::Error::new(why))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.body)
    }
}
