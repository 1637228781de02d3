//! A platform that does what a test says, on the socket of a data directory.

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use smartbox_api::problem::{self, Code, Problem};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

/// A platform that lives as long as the value.
pub(crate) struct Fake {
    pub(crate) dir: tempfile::TempDir,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fake {
    /// Serves these routes on the socket of a new data directory.
    pub(crate) fn new(router: Router) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("control.sock")).unwrap();
        let (router, seen) = recording(router);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, router.clone());
            }
        });
        Self { dir, seen, task }
    }

    /// Serves these routes on a free TCP port.
    pub(crate) async fn tcp(router: Router) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(router, listener)
    }

    /// The same, on this listener.
    pub(crate) fn on(router: Router, listener: TcpListener) -> (Self, String) {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (router, seen) = recording(router);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, router.clone());
            }
        });
        (Self { dir: tempfile::tempdir().unwrap(), seen, task }, url)
    }

    /// Serves these routes by TLS: the port.
    pub(crate) async fn tls(router: Router, acceptor: TlsAcceptor) -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (router, seen) = recording(router);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, router) = (acceptor.clone(), router.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, router);
                    }
                });
            }
        });
        (Self { dir: tempfile::tempdir().unwrap(), seen, task }, port)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Every request so far. The bodies of streams are not among them.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Those that begin like this.
    pub(crate) fn seen_like(&self, line: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.line.starts_with(line)).collect()
    }
}

fn serve(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    router: Router,
) {
    tokio::spawn(async move {
        let service = TowerToHyperService::new(router);
        // A handler that breaks its stream breaks the connection, as a platform that dies does.
        let _ = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    });
}

fn recording(router: Router) -> (Router, Arc<Mutex<Vec<Seen>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = seen.clone();
    let layer = axum::middleware::from_fn(move |request: Request, next: axum::middleware::Next| {
        let record = record.clone();
        async move {
            let line = format!("{} {}", request.method(), request.uri());
            let headers = request.headers().clone();
            let (parts, body) = request.into_parts();
            let (text, body) = if line.ends_with("/exec") {
                (String::new(), body)
            } else {
                let bytes = body.collect().await.unwrap().to_bytes();
                (String::from_utf8_lossy(&bytes).into_owned(), Body::from(bytes))
            };
            record.lock().unwrap().push(Seen { line, headers, body: text });
            next.run(Request::from_parts(parts, body)).await
        }
    });
    (router.layer(layer), seen)
}

/// A refusal.
pub(crate) fn refuse(code: Code, detail: &str, hint: &str) -> Response {
    let body = serde_json::to_string(&Problem::new(code, detail, hint)).unwrap();
    let status = http::StatusCode::from_u16(code.status()).unwrap();
    (status, [(http::header::CONTENT_TYPE, problem::MEDIA_TYPE)], body).into_response()
}

/// A body that a test writes piece by piece; an `Err` breaks the connection.
pub(crate) type Pieces = mpsc::UnboundedSender<Result<Bytes, BrokenOff>>;

/// The platform died.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken off")
    }
}

impl std::error::Error for BrokenOff {}

/// Such a body.
pub(crate) fn pieces() -> (Pieces, Body) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let stream = futures_util::stream::unfold(receiver, async |mut receiver| {
        let piece: Result<Bytes, BrokenOff> = receiver.recv().await?;
        if piece.is_err() {
            // What was said before goes out before the connection breaks.
            tokio::task::yield_now().await;
        }
        Some((piece, receiver))
    });
    (sender, Body::from_stream(stream))
}

/// A body of these pieces, whole.
pub(crate) fn whole(text: impl Into<Bytes>) -> Body {
    let bytes = text.into();
    Body::from_stream(futures_util::stream::once(async { Ok::<_, Infallible>(bytes) }))
}

/// A box as the platform shows it.
pub(crate) fn smartbox(name: &str, state: &str, phase: &str) -> serde_json::Value {
    serde_json::json!({
        "id": "box_00000000000000000001", "name": name, "kind": "pa", "state": state,
        "desired": "on", "asleep": false, "phase": phase, "url": format!("http://{name}.localhost:7777"),
        "tier": "standard-1", "engine": "openclaw",
        "account": "acc_00000000000000000001", "base": "pa", "revision": 1,
        "sleep": { "freeze_after_ms": 600_000, "stop_after_ms": 604_800_000, "own": false }, "starts": 1, "last_active": 1, "created": 1,
    })
}
