//! One request to an engine and back.

use std::sync::Arc;

use http::request::Parts;
use http::{Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::TrySendError;
use smartbox_core::activity::Busy;
use smartbox_core::route::Route;
use tokio::sync::watch;

use crate::asked::Asked;
use crate::body::EdgeBody;
use crate::edge::Inner;
use crate::known::Known;
use crate::problem::Refusal;
use crate::proxy::download::{Download, Source};
use crate::proxy::headers::toward_engine;
use crate::proxy::link::Link;
use crate::proxy::reply::toward_client;
use crate::proxy::upload::{Upload, Verdict};

/// What is longer, or has no known length, is broken off when its asker may no more; a shorter one is
/// there before anybody could say so, unless its request still comes.
const SHORT: u64 = 1 << 20;

/// A request that may pass, and what is known of it.
pub(crate) struct Errand<'a> {
    pub(crate) edge: &'a Arc<Inner>,
    pub(crate) known: &'a Known,
}

impl Errand<'_> {
    /// Sends it to the engine, which answers already, and relays what comes back.
    pub(crate) async fn run(
        &self,
        parts: Parts,
        body: Asked,
        busy: Option<Box<dyn Busy>>,
        sessions: watch::Receiver<u64>,
    ) -> Result<Response<EdgeBody>, Refusal> {
        let limits = &self.edge.settings.limits;
        let uploads = !body.is_end_stream();
        let (upload, verdict) = Upload::new(body, limits).map_err(|cut| cut.refusal())?;
        let request = self.request(parts, upload)?;
        let answered = tokio::time::timeout(limits.reply_time, self.exchange(request)).await;
        let (link, response) = match answered {
            Ok(done) => done.map_err(|refusal| blame(&verdict, refusal))?,
            Err(_) => return Err(late()),
        };
        let (mut head, incoming) = response.into_parts();
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Refusal::engine());
        }
        toward_client(&mut head.headers);
        head.version = Version::HTTP_11;
        let id = self.known.route.id.clone();
        let source = Source { link, pool: self.edge.pool.clone(), id };
        let download = Download::new(incoming, Some(source), busy);
        let mut body = EdgeBody::engine(download);
        if uploads || body.size_hint().exact().is_none_or(|length| length > SHORT) {
            let known = self.known.clone();
            body = body.until(known.gone(self.edge.clone(), sessions));
        }
        Ok(Response::from_parts(head, body))
    }

    /// The request as the engine gets it: path and query untouched, in origin form.
    pub(crate) fn request<B>(&self, mut parts: Parts, body: B) -> Result<Request<B>, Refusal> {
        let Known { person, host, peer, .. } = self.known;
        toward_engine(&mut parts.headers, &self.edge.settings, person, host, peer.ip());
        let bad = || Refusal::bad_request("The request's target is not a path.");
        let path = parts.uri.path_and_query().filter(|p| p.as_str().starts_with('/'));
        let path = path.cloned().ok_or_else(bad)?;
        let mut request = Request::new(body);
        *request.method_mut() = parts.method;
        *request.uri_mut() = Uri::from(path);
        *request.headers_mut() = parts.headers;
        Ok(request)
    }

    async fn exchange(
        &self,
        mut request: Request<Upload>,
    ) -> Result<(Box<Link>, Response<Incoming>), Refusal> {
        loop {
            let mut link = match self.edge.pool.take(&self.known.route.id) {
                Some(link) => link,
                None => self.open().await?,
            };
            let used = link.used;
            match link.send(request).await {
                Ok(response) => return Ok((link, response)),
                // The engine closed an idle connection, and nothing of the request was written.
                Err(error) => request = unsent(error, used)?,
            }
        }
    }

    async fn open(&self) -> Result<Box<Link>, Refusal> {
        let Route { id, name, .. } = &self.known.route;
        let conn = self.edge.dial(id, name).await?;
        Link::open(conn, &self.edge.settings.limits).await.map_err(|_| Refusal::engine())
    }
}

fn unsent(
    mut error: TrySendError<Request<Upload>>,
    used: bool,
) -> Result<Request<Upload>, Refusal> {
    match error.take_message() {
        Some(request) if used => Ok(request),
        _ => {
            tracing::debug!(error = %error.error(), "the engine broke off");
            Err(Refusal::engine())
        }
    }
}

fn blame(verdict: &Verdict, otherwise: Refusal) -> Refusal {
    verdict.cut().map_or(otherwise, super::upload::Cut::refusal)
}

fn late() -> Refusal {
    Refusal::new(
        StatusCode::GATEWAY_TIMEOUT,
        "engine-late",
        "The assistant's program took too long to answer.",
        "Try again; `smartbox logs` shows what it does.",
    )
}
