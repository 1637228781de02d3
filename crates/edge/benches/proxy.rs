//! The edge in front of a trivial engine, for load generators; the same engine stands beside it, so
//! that another proxy can be put in front of it in the same run.
//!
//! `cargo bench -p smartbox-edge --bench proxy -- 7001 7002` serves the engine on 7001 and the edge
//! on 7002 until it is ended (both at random ports without arguments: a short self-check).
//! `EDGE_LIMITS` turns the limit for strangers on. `EDGE_THREADS` sets the edge's threads; the engine has a runtime of its own with one.
//!
//! Load: `wrk -H 'Host: pa.localhost' -H 'Cookie: smartbox_session=good' http://127.0.0.1:7002/`.
//! Answers: `/` 13 bytes, `/64k` and `/1m` so many.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use smartbox_core::BoxFuture;
use smartbox_core::activity::{Activity, Busy, Doing};
use smartbox_core::id::SmartboxId;
use smartbox_core::limit::{Class, Rate, Rates};
use smartbox_core::person::Right;
use smartbox_core::route::Route;
use smartbox_core::route::port::{Resolve, WakeError};
use smartbox_core::sandbox::port::Conn;
use smartbox_core::secret::Secret;
use smartbox_core::smartbox::{Desired, State};
use smartbox_core::store::StoreError;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_edge::{Admit, Edge, EdgeParts, EdgeSettings, MemoryMeter, Person, Scheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::compat::TokioAsyncReadCompatExt as _;
use tokio_util::sync::CancellationToken;

type AnyResult<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct World {
    route: Route,
    engine: SocketAddr,
}

impl Resolve for World {
    fn route<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Option<Route>, StoreError>> {
        Box::pin(async move { Ok((label == "pa").then(|| self.route.clone())) })
    }
    fn wake(&self, _: SmartboxId, _: Duration) -> BoxFuture<'_, Result<(), WakeError>> {
        Box::pin(async { Ok(()) })
    }
    fn nudge(&self, _: SmartboxId) -> BoxFuture<'_, Result<(), WakeError>> {
        Box::pin(async { Ok(()) })
    }
    fn leaving(&self, _: &SmartboxId) -> bool {
        false
    }
    fn dial(&self, _: SmartboxId) -> BoxFuture<'_, Result<Conn, WakeError>> {
        Box::pin(async {
            let late = |_| WakeError::Late { state: State::Starting };
            let stream = TcpStream::connect(self.engine).await.map_err(late)?;
            stream.set_nodelay(true).map_err(late)?;
            Ok(Box::pin(stream.compat()) as Conn)
        })
    }
    fn changed(&self, _: SmartboxId, _: State) -> BoxFuture<'_, Result<State, StoreError>> {
        Box::pin(std::future::pending())
    }
}

struct Idle;
impl Busy for Idle {}
impl Activity for World {
    fn begin(&self, _: &SmartboxId, _: Doing) -> Box<dyn Busy> {
        Box::new(Idle)
    }
    fn touch(&self, _: &SmartboxId) {}
}

impl Admit for World {
    fn remembers(&self, cookie: &str) -> bool {
        cookie == "good"
    }
    fn who<'a>(
        &'a self,
        route: &'a Route,
        cookie: &'a str,
    ) -> BoxFuture<'a, Result<Option<Person>, StoreError>> {
        let person = Person {
            account: route.account.clone(),
            who: "ann".into(),
            name: "ann".into(),
            right: Right::Own,
        };
        Box::pin(async move { Ok((cookie == "good").then_some(person)) })
    }
    fn enter<'a>(
        &'a self,
        _: &'a Route,
        _: Secret<String>,
    ) -> BoxFuture<'a, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(async { Ok(None) })
    }
    fn leave<'a>(&'a self, _: &'a Route, _: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}

fn world(engine: SocketAddr) -> AnyResult<Arc<World>> {
    let route = Route {
        id: "box_00000000000000000000".parse()?,
        account: "acc_00000000000000000000".parse()?,
        name: "pa".into(),
        label: "pa".into(),
        desired: Desired::On,
        state: State::Running,
        phase: String::new(),
        failure: None,
        port: 1,
    };
    Ok(Arc::new(World { route, engine }))
}

async fn answer<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    static LARGE: [u8; 1 << 20] = [b'x'; 1 << 20];
    let body = match request.uri().path() {
        "/64k" => Bytes::from_static(&LARGE[..1 << 16]),
        "/1m" => Bytes::from_static(&LARGE),
        _ => Bytes::from_static(b"Hello, world!"),
    };
    Ok(Response::new(Full::new(body)))
}

async fn serve_engine(listener: TcpListener) -> AnyResult<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let http = hyper::server::conn::http1::Builder::new();
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}

async fn serve_edge(listener: TcpListener, edge: Edge) -> AnyResult<()> {
    loop {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let edge = edge.clone();
        tokio::spawn(async move {
            edge.serve_connection(stream, peer, service_fn(answer)).await;
        });
    }
}

async fn bind(port: Option<&u16>) -> AnyResult<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(("127.0.0.1", port.copied().unwrap_or(0))).await?;
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

fn main() -> AnyResult<()> {
    // Cargo adds `--bench`.
    let ports: Vec<u16> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let threads = std::env::var("EDGE_THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let engine =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let front = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("edge")
        .enable_all()
        .build()?;
    let (listener, behind) = engine.block_on(bind(ports.first()))?;
    engine.spawn(serve_engine(listener));
    let world = world(behind)?;
    // As shipped for strangers; load generators are one visitor, who would have a limit.
    let rates = match std::env::var_os("EDGE_LIMITS") {
        Some(_) => Rates::NONE.with(Class::Knock, Rate::parse("20/s", 200).ok()),
        None => Rates::NONE,
    };
    let edge = Edge::new(EdgeParts {
        resolve: world.clone(),
        activity: world.clone(),
        admit: world.clone(),
        meter: Arc::new(MemoryMeter::new(rates)),
        clock: world,
        telemetry: Arc::new(smartbox_core::telemetry::Quiet),
        settings: EdgeSettings::new(Scheme::Http, "localhost", 80, "/"),
        drain: CancellationToken::new(),
    });
    let (listener, addr) = front.block_on(bind(ports.get(1)))?;
    front.spawn(serve_edge(listener, edge));
    writeln!(std::io::stdout(), "engine http://{behind}  edge http://{addr}")?;
    front.block_on(async {
        if ports.is_empty() {
            return check(addr).await;
        }
        std::future::pending().await
    })
}

/// One request, so that `cargo test --benches` proves that the bench works.
async fn check(addr: SocketAddr) -> AnyResult<()> {
    let mut stream = TcpStream::connect(addr).await?;
    let head = "GET / HTTP/1.1\r\nhost: pa.localhost\r\nconnection: close\r\n\
                cookie: smartbox_session=good\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    if text.ends_with("Hello, world!") { Ok(()) } else { Err(text.into()) }
}
