//! One connection of a client: HTTP/1.1 or HTTP/2, with limits, and an end that lets what has
//! begun finish.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::body::EdgeBody;
use crate::edge::Edge;
use crate::host;
use crate::proxy::DEFAULT_HEADERS;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Who is at the other end of the connection; an extension of requests that the fallback gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Either the edge's body or the fallback's.
#[derive(Debug)]
pub struct ServedBody<B> {
    kind: Kind<B>,
    _beat: Beat,
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
        match &mut self.kind {
            Kind::Edge(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Kind::Fallback(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
        }
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

/// Whether requests are being answered, and since when none is.
#[derive(Debug)]
struct Pulse {
    start: Instant,
    active: AtomicUsize,
    served: AtomicUsize,
    quiet_since: AtomicU64,
}

impl Pulse {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            active: AtomicUsize::new(0),
            served: AtomicUsize::new(0),
            quiet_since: AtomicU64::new(0),
        }
    }

    fn begin(self: &Arc<Self>) -> Beat {
        self.active.fetch_add(1, Ordering::AcqRel);
        Beat(self.clone())
    }

    fn quiet_for(&self) -> Option<Duration> {
        let since = Duration::from_millis(self.quiet_since.load(Ordering::Acquire));
        let idle = self.active.load(Ordering::Acquire) == 0;
        idle.then(|| self.start.elapsed().saturating_sub(since))
    }
}

/// A request being answered, its body included.
#[derive(Debug)]
struct Beat(Arc<Pulse>);

impl Drop for Beat {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.quiet_since.store(now, Ordering::Release);
        self.0.served.fetch_add(1, Ordering::AcqRel);
        self.0.active.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Edge {
    /// Serves a connection until it ends: requests to a box's host are the edge's, all others the
    /// fallback's (which finds a [`Peer`] in their extensions). Returns at once if there are too
    /// many connections; within [`crate::Limits::drain`] once `drain` is cancelled. A socket that
    /// was upgraded lives on by itself; [`Edge::drained`] waits for it.
    pub async fn serve_connection<S, F, B>(&self, stream: S, peer: SocketAddr, fallback: F)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        F: Send + Sync + 'static,
        F::Future: Send + 'static,
        B: Body<Data = Bytes, Error: Into<AnyError>> + Unpin + Send + 'static,
    {
        let Ok(permit) = self.inner.connections.clone().try_acquire_owned() else {
            tracing::warn!(%peer, "too many connections; one was dropped");
            return;
        };
        let permit = Arc::new(permit);
        let pulse = Arc::new(Pulse::new());
        let fallback = Arc::new(fallback);
        let (edge, beats) = (self.clone(), pulse.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            let beat = beats.begin();
            let (edge, fallback) = (edge.clone(), fallback.clone());
            // An extension costs memory: none where none is needed.
            if request.headers().contains_key(http::header::UPGRADE) {
                request.extensions_mut().insert(Slot { _permit: permit.clone() });
            }
            async move {
                let response = if edge.means_a_box(&request) {
                    edge.serve(request, peer).await.map(Kind::Edge)
                } else {
                    request.extensions_mut().insert(Peer(peer));
                    let Ok(response) = fallback.call(request).await;
                    response.map(Kind::Fallback)
                };
                Ok::<_, Infallible>(response.map(|kind| ServedBody { kind, _beat: beat }))
            }
        });
        let builder = self.builder();
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let drive = async {
            let drained = tokio::select! {
                _ = connection.as_mut() => return,
                () = self.inner.drain.cancelled() => true,
                () = self.idle(&pulse) => false,
            };
            // A client that never finished a request gets no time to finish one.
            if drained || pulse.served.load(Ordering::Acquire) > 0 {
                connection.as_mut().graceful_shutdown();
                let time = self.inner.settings.limits.drain;
                let _ = tokio::time::timeout(time, connection.as_mut()).await;
            }
        };
        self.inner.tasks.track_future(drive).await;
    }

    /// Ends when no request has been begun for too long: a client that says nothing, one that
    /// never comes to the end of a head, and an HTTP/2 one that only answers pings.
    async fn idle(&self, pulse: &Pulse) {
        let limit = self.inner.settings.limits.head_time;
        loop {
            let wait = match pulse.quiet_for() {
                Some(quiet) if quiet >= limit => return,
                Some(quiet) => limit - quiet,
                None => limit,
            };
            tokio::time::sleep(wait).await;
        }
    }

    fn means_a_box(&self, request: &Request<Incoming>) -> bool {
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
            .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(20));
        builder
    }
}

/// The connection's place among those allowed; a relayed socket keeps it.
#[derive(Clone)]
pub(crate) struct Slot {
    _permit: Arc<tokio::sync::OwnedSemaphorePermit>,
}
