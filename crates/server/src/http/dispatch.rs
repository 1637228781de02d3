//! Connections: a TCP one goes to the edge, which hands what is not for a box to the platform's
//! routes; one on the local socket goes to the routes alone.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use smartbox_edge::{Asked, Edge, Seat};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::principal::Peer;
use crate::tls::Accept;

/// From the first byte of a head to its last.
const HEAD: Duration = Duration::from_secs(30);

/// Serves a TCP connection until it ends.
pub async fn tcp(edge: &Edge, router: Router, stream: TcpStream, peer: std::net::SocketAddr) {
    // Small frames of a conversation must not wait for one another.
    let _ = stream.set_nodelay(true);
    if let Some(seat) = edge.seat(peer) {
        seated(edge, router, stream, seat).await;
    }
}

/// Serves a TCP connection, encrypted. It has a seat from the first byte on.
pub async fn tls(
    edge: &Edge,
    router: Router,
    accept: &Accept,
    stream: TcpStream,
    peer: std::net::SocketAddr,
) {
    let _ = stream.set_nodelay(true);
    let Some(seat) = edge.seat(peer) else { return };
    let stream = tokio::select! {
        stream = accept.accept(stream, peer, seat.is_shared()) => stream,
        () = seat.sent_away() => None,
    };
    if let Some(stream) = stream {
        seated(edge, router, stream, seat).await;
    }
}

async fn seated<IO>(edge: &Edge, router: Router, stream: IO, seat: Seat)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connected = seat.peer;
    let service = service_fn(move |request: Request<Asked>| {
        // Of whom a proxy of ours speaks, if one stands between.
        let said = request.extensions().get::<smartbox_edge::Peer>();
        let peer = Peer::Tcp(said.map_or(connected, |peer| peer.address));
        answer(router.clone(), request, peer)
    });
    edge.serve_seated(stream, seat, service).await;
}

/// Serves a connection on the local socket until it ends; its peer has been checked. Once `drain`
/// is cancelled what has begun is finished.
pub async fn local(router: Router, stream: UnixStream, uid: u32, drain: CancellationToken) {
    let peer = Peer::Local { uid };
    let service =
        service_fn(move |request: Request<Incoming>| answer(router.clone(), request, peer));
    serve(service, stream, drain).await;
}

/// Serves a connection that no edge stands before, nor any question of who asks.
pub async fn alone(router: Router, stream: TcpStream, drain: CancellationToken) {
    let service = service_fn(move |request: Request<Incoming>| {
        router.clone().oneshot(request.map(Body::new))
    });
    serve(service, stream, drain).await;
}

async fn serve<S, IO>(service: S, stream: IO, drain: CancellationToken)
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder.http2().timer(TokioTimer::new());
    let mut connection =
        pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = drain.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

async fn answer<B>(
    router: Router,
    request: Request<B>,
    peer: Peer,
) -> Result<Response<Body>, Infallible>
where
    B: http_body::Body<Data = bytes::Bytes, Error = hyper::Error> + Send + 'static,
{
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    router.oneshot(request).await
}
