//! One connection of a client: HTTP/1.1 or HTTP/2, with limits, and an end that lets what has
//! begun finish.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::STRICT_TRANSPORT_SECURITY;
use http::{HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::asked::Asked;
use crate::body::EdgeBody;
use crate::client::{self, Peer};
use crate::crowd::{Beat, Pulse, Seat, Staying};
use crate::edge::Edge;
use crate::host;
use crate::proxy::DEFAULT_HEADERS;
use crate::settings::Scheme;

/// Only for the very host: a domain of which boxes are a part may have others that know no TLS.
const FOR_A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Either the edge's body or the fallback's.
#[derive(Debug)]
pub struct ServedBody<B> {
    kind: Kind<B>,
    beat: Beat,
}

#[derive(Debug)]
enum Kind<B> {
    Edge(EdgeBody),
    Fallback(B),
}

impl<B> Body for ServedBody<B>
where
    B: Body<Data = Bytes, Error: Into<AnyError>> + Unpin,
{
    type Data = Bytes;
    type Error = AnyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnyError>>> {
        self.beat.ours();
        let polled = match &mut self.kind {
            Kind::Edge(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Kind::Fallback(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
        };
        if polled.is_ready() {
            self.beat.theirs();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Edge(body) => body.is_end_stream(),
            Kind::Fallback(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Edge(body) => body.size_hint(),
            Kind::Fallback(body) => body.size_hint(),
        }
    }
}

impl Edge {
    /// A seat for whoever has connected; `None` if there is none, and the connection is to be
    /// dropped. For a listener that has something to do before it serves, like a TLS handshake.
    pub fn seat(&self, peer: SocketAddr) -> Option<Seat> {
        let shared = client::trusted(peer.ip(), &self.inner.settings.proxies);
        let seat = self.inner.crowd.seat(peer, shared);
        if seat.is_none() {
            tracing::debug!(%peer, "too many connections; one was dropped");
        }
        seat
    }

    /// Seats and serves a connection until it ends; see [`Edge::serve_seated`].
    pub async fn serve_connection<S, F, B>(&self, stream: S, peer: SocketAddr, fallback: F)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Service<Request<Asked>, Response = Response<B>, Error = Infallible>,
        F: Send + Sync + 'static,
        F::Future: Send + 'static,
        B: Body<Data = Bytes, Error: Into<AnyError>> + Unpin + Send + 'static,
    {
        if let Some(seat) = self.seat(peer) {
            self.serve_seated(stream, seat, fallback).await;
        }
    }

    /// Serves a connection until it ends: requests to a box's host are the edge's, all others the
    /// fallback's (which finds a [`Peer`] in their extensions). Within [`crate::Limits::drain`] once
    /// `drain` is cancelled, and at once when somebody else needs its seat. A socket that was upgraded
    /// lives on by itself; [`Edge::drained`] waits for it.
    pub async fn serve_seated<S, F, B>(&self, stream: S, seat: Seat, fallback: F)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Service<Request<Asked>, Response = Response<B>, Error = Infallible>,
        F: Send + Sync + 'static,
        F::Future: Send + 'static,
        B: Body<Data = Bytes, Error: Into<AnyError>> + Unpin + Send + 'static,
    {
        let seat = Arc::new(seat);
        let fallback = Arc::new(fallback);
        let (edge, seated) = (self.clone(), seat.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            let beat = seated.pulse().begin();
            let (edge, fallback) = (edge.clone(), fallback.clone());
            let peer = client::of(seated.peer, request.headers_mut(), &edge.inner.settings.proxies);
            // An extension costs memory: none where none is needed.
            if request.headers().contains_key(http::header::UPGRADE) {
                request.extensions_mut().insert(Slot { seat: seated.clone() });
            }
            let request = request.map(|body| Asked::new(body, &beat));
            async move { Ok::<_, Infallible>(edge.answer(request, peer, &*fallback, beat).await) }
        });
        let builder = self.builder();
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let drive = async {
            let drained = tokio::select! {
                _ = connection.as_mut() => return,
                () = seat.sent_away() => return,
                () = self.inner.drain.cancelled() => true,
                () = self.idle(seat.pulse()) => false,
            };
            // A client that never finished a request gets no time to finish one.
            if drained || seat.pulse().served() {
                connection.as_mut().graceful_shutdown();
                let time = self.inner.settings.limits.drain;
                let _ = tokio::time::timeout(time, connection.as_mut()).await;
            }
        };
        self.inner.tasks.track_future(drive).await;
    }

    async fn answer<F, B>(
        &self,
        mut request: Request<Asked>,
        peer: Peer,
        fallback: &F,
        beat: Beat,
    ) -> Response<ServedBody<B>>
    where
        F: Service<Request<Asked>, Response = Response<B>, Error = Infallible>,
    {
        let secure = self.inner.settings.scheme == Scheme::Https;
        let response = if secure && peer.scheme == Some(Scheme::Http) {
            client::to_https(&request, self.inner.settings.port).map(Kind::Edge)
        } else if self.means_a_box(&request) {
            self.serve(request, peer.address).await.map(Kind::Edge)
        } else {
            request.extensions_mut().insert(peer);
            let Ok(response) = fallback.call(request).await;
            response.map(Kind::Fallback)
        };
        let mut response = response.map(|kind| ServedBody { kind, beat });
        if secure {
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, FOR_A_YEAR);
        }
        response
    }

    /// Ends when no request has been begun for too long: a client that says nothing, one that
    /// never comes to the end of a head, an HTTP/2 one that only answers pings, and one that does not
    /// take what it asked for.
    async fn idle(&self, pulse: &Pulse) {
        let limit = self.inner.settings.limits.head_time;
        loop {
            let wait = match pulse.idle_for() {
                Some(quiet) if quiet >= limit => return,
                Some(quiet) => limit - quiet,
                None => limit,
            };
            tokio::time::sleep(wait).await;
        }
    }

    fn means_a_box(&self, request: &Request<Asked>) -> bool {
        let headers = request.headers().get(http::header::HOST);
        let header = headers.and_then(|value| value.to_str().ok());
        let authority = request.uri().authority().map(http::uri::Authority::as_str);
        // Either name is enough: a request that names two is refused by the edge, not guessed at.
        [authority, header]
            .into_iter()
            .flatten()
            .any(|name| host::find(name, &self.inner.settings.bases).is_some())
    }

    fn builder(&self) -> Builder<TokioExecutor> {
        let limits = &self.inner.settings.limits;
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            // `idle` watches over heads that do not come; this would be a timer per request.
            .header_read_timeout(None)
            .max_buf_size(limits.head_bytes.max(8 * 1024));
        if limits.headers != DEFAULT_HEADERS {
            builder.http1().max_headers(limits.headers);
        }
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_pending_accept_reset_streams(limits.resets)
            .max_local_error_reset_streams(limits.mistakes)
            .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(20));
        builder
    }
}

/// The connection's place among those allowed; a relayed socket keeps it.
#[derive(Clone)]
pub(crate) struct Slot {
    seat: Arc<Seat>,
}

impl Slot {
    /// From now on it is a relayed socket's; `None` if too many places are.
    pub(crate) fn stay(&self) -> Option<Staying> {
        Seat::stay(&self.seat)
    }
}
