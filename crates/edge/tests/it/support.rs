//! A pretend box, its platform, and a browser that says exactly what it is told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use smartbox_core::BoxFuture;
use smartbox_core::activity::{Activity, Busy, Doing};
use smartbox_core::id::SmartboxId;
use smartbox_core::limit::Rates;
use smartbox_core::person::Right;
use smartbox_core::route::Route;
use smartbox_core::route::port::{Resolve, WakeError};
use smartbox_core::sandbox::port::Conn;
use smartbox_core::secret::Secret;
use smartbox_core::smartbox::{Desired, Failure, State};
use smartbox_core::store::StoreError;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_edge::{Admit, Edge, EdgeParts, EdgeSettings, MemoryMeter, Person, Scheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::compat::TokioAsyncReadCompatExt as _;
use tokio_util::sync::CancellationToken;

pub(crate) const HOST: &str = "pa.localhost";
pub(crate) const COOKIE: &str = "cookie: smartbox_session=good\r\n";

/// Waits for something that must come, and fails loudly if it does not.
pub(crate) async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("it came in time")
}

/// The ticket of every world.
pub(crate) const TICKET: &str = "sbt_00000000000000000000000000000001";

/// Box, sessions and activity at once.
pub(crate) struct World {
    pub(crate) state: watch::Sender<State>,
    pub(crate) desired: Mutex<Desired>,
    pub(crate) failure: Mutex<Option<Failure>>,
    pub(crate) engine: Mutex<Option<SocketAddr>>,
    /// Whether a wake makes the box run by itself.
    pub(crate) wakes_up: Mutex<bool>,
    pub(crate) session: Mutex<Option<&'static str>>,
    pub(crate) ticket: Mutex<Option<&'static str>>,
    pub(crate) wakes: AtomicUsize,
    pub(crate) nudges: AtomicUsize,
    pub(crate) dials: AtomicUsize,
    pub(crate) begun: AtomicUsize,
    pub(crate) busy: Arc<AtomicUsize>,
}

impl World {
    pub(crate) fn new(engine: Option<SocketAddr>) -> Arc<Self> {
        Arc::new(Self {
            state: watch::Sender::new(State::Running),
            desired: Mutex::new(Desired::Auto),
            failure: Mutex::default(),
            engine: Mutex::new(engine),
            wakes_up: Mutex::new(true),
            session: Mutex::new(Some("good")),
            ticket: Mutex::new(Some(TICKET)),
            wakes: AtomicUsize::new(0),
            nudges: AtomicUsize::new(0),
            dials: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            busy: Arc::default(),
        })
    }

    pub(crate) fn set(&self, state: State) {
        self.state.send_replace(state);
    }

    pub(crate) fn count(of: &AtomicUsize) -> usize {
        of.load(Ordering::SeqCst)
    }

    fn id() -> SmartboxId {
        "box_00000000000000000000".parse().unwrap()
    }
}

impl Resolve for World {
    fn route<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Option<Route>, StoreError>> {
        let route = (label == "pa").then(|| Route {
            id: Self::id(),
            account: "acc_00000000000000000000".parse().unwrap(),
            name: "pa".into(),
            label: "pa".into(),
            desired: *self.desired.lock().unwrap(),
            state: *self.state.borrow(),
            phase: "warming <up>".into(),
            failure: self.failure.lock().unwrap().clone(),
            port: 1,
        });
        Box::pin(async move { Ok(route) })
    }

    fn wake(&self, _: SmartboxId, within: Duration) -> BoxFuture<'_, Result<(), WakeError>> {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if *self.desired.lock().unwrap() == Desired::Off {
                return Err(WakeError::Off);
            }
            if *self.wakes_up.lock().unwrap() {
                self.set(State::Running);
            }
            let mut state = self.state.subscribe();
            let running = state.wait_for(|state| *state == State::Running);
            match tokio::time::timeout(within, running).await {
                Ok(_) => Ok(()),
                Err(_) => Err(WakeError::Late { state: *self.state.borrow() }),
            }
        })
    }

    fn nudge(&self, _: SmartboxId) -> BoxFuture<'_, Result<(), WakeError>> {
        self.nudges.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    }

    fn leaving(&self, _: &SmartboxId) -> bool {
        false
    }
    fn dial(&self, _: SmartboxId) -> BoxFuture<'_, Result<Conn, WakeError>> {
        self.dials.fetch_add(1, Ordering::SeqCst);
        let engine = *self.engine.lock().unwrap();
        Box::pin(async move {
            let late = || WakeError::Late { state: State::Starting };
            let stream = TcpStream::connect(engine.ok_or_else(late)?).await.map_err(|_| late())?;
            stream.set_nodelay(true).unwrap();
            Ok(Box::pin(stream.compat()) as Conn)
        })
    }

    fn changed(&self, _: SmartboxId, seen: State) -> BoxFuture<'_, Result<State, StoreError>> {
        Box::pin(async move {
            let mut state = self.state.subscribe();
            let changed = state.wait_for(|state| *state != seen).await;
            Ok(*changed.map_err(|_| StoreError::Full)?)
        })
    }
}

struct Hold(Arc<AtomicUsize>);
impl Busy for Hold {}
impl Drop for Hold {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Activity for World {
    fn begin(&self, _: &SmartboxId, _: Doing) -> Box<dyn Busy> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.busy.fetch_add(1, Ordering::SeqCst);
        Box::new(Hold(self.busy.clone()))
    }

    fn touch(&self, _: &SmartboxId) {}
}

impl Admit for World {
    fn remembers(&self, cookie: &str) -> bool {
        *self.session.lock().unwrap() == Some(cookie)
    }
    fn who<'a>(
        &'a self,
        route: &'a Route,
        cookie: &'a str,
    ) -> BoxFuture<'a, Result<Option<Person>, StoreError>> {
        let known = *self.session.lock().unwrap() == Some(cookie);
        let person = Person {
            account: route.account.clone(),
            who: "ann".into(),
            name: "ann".into(),
            right: Right::Own,
        };
        Box::pin(async move { Ok(known.then_some(person)) })
    }

    fn enter<'a>(
        &'a self,
        _: &'a Route,
        ticket: Secret<String>,
    ) -> BoxFuture<'a, Result<Option<Secret<String>>, StoreError>> {
        let mut left = self.ticket.lock().unwrap();
        let good = left.take_if(|left| left == ticket.expose()).is_some();
        Box::pin(async move { Ok(good.then(|| Secret::new("good".to_owned()))) })
    }

    fn leave<'a>(&'a self, _: &'a Route, _: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        *self.session.lock().unwrap() = None;
        Box::pin(async { Ok(()) })
    }
}

struct Noon;
impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp(1_700_000_000_000)
    }
}

/// An edge that listens.
pub(crate) struct Front {
    pub(crate) addr: SocketAddr,
    pub(crate) world: Arc<World>,
    pub(crate) edge: Edge,
    pub(crate) drain: CancellationToken,
}

impl Front {
    pub(crate) async fn new(world: Arc<World>) -> Self {
        Self::with(world, |_| {}).await
    }

    pub(crate) async fn with(world: Arc<World>, change: impl FnOnce(&mut EdgeSettings)) -> Self {
        Self::limited(world, Rates::NONE, change).await
    }

    pub(crate) async fn limited(
        world: Arc<World>,
        rates: Rates,
        change: impl FnOnce(&mut EdgeSettings),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut settings =
            EdgeSettings::new(Scheme::Http, "localhost", 80, "http://platform.test/open/{label}");
        settings.identity.user = Some(HeaderName::from_static("x-smartbox-user"));
        settings.identity.origin = Some(HeaderValue::from_static("http://127.0.0.1:18789"));
        change(&mut settings);
        let drain = CancellationToken::new();
        let edge = Edge::new(EdgeParts {
            resolve: world.clone(),
            activity: world.clone(),
            admit: world.clone(),
            meter: Arc::new(MemoryMeter::new(rates)),
            clock: Arc::new(Noon),
            telemetry: Arc::new(smartbox_core::telemetry::Quiet),
            settings,
            drain: drain.clone(),
        });
        let (served, ended) = (edge.clone(), drain.clone());
        tokio::spawn(async move {
            while !ended.is_cancelled() {
                let Ok((stream, peer)) = listener.accept().await else { return };
                stream.set_nodelay(true).unwrap();
                let edge = served.clone();
                tokio::spawn(async move {
                    edge.serve_connection(stream, peer, service_fn(platform)).await;
                });
            }
        });
        Self { addr, world, edge, drain }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    /// Sends a request's first lines as they are and reads the answer to the connection's end.
    pub(crate) async fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(request.as_ref()).await.unwrap();
        let mut bytes = Vec::new();
        // A refusal may come with a reset when the client still has more to say.
        let _ = soon(stream.read_to_end(&mut bytes)).await;
        Answer::parse(&bytes)
    }

    /// A signed-in request with these extra header lines.
    pub(crate) async fn ask(&self, line: &str, headers: &str) -> Answer {
        let text = format!(
            "{line} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{COOKIE}{headers}\r\n"
        );
        self.raw(text).await
    }
}

async fn platform(
    request: Request<smartbox_edge::Asked>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let peer = request.extensions().get::<smartbox_edge::Peer>().is_some();
    Ok(Response::new(Full::from(format!("platform {} {peer}", request.uri().path()))))
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (n, value) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// An engine that answers with what it was shown, one header a line, and then the body.
pub(crate) async fn mirror() -> SocketAddr {
    engine(|request: Request<Incoming>| async move {
        let (parts, body) = request.into_parts();
        let mut text = format!("{} {}\n", parts.method, parts.uri);
        for (name, value) in &parts.headers {
            text.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
        }
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        text.push('\n');
        text.push_str(&String::from_utf8_lossy(&body));
        Response::builder()
            .header("set-cookie", "engine=1; Domain=localhost; Path=/")
            .header("x-frame-options", "DENY")
            .body(Full::from(text))
            .unwrap()
    })
    .await
}

/// An engine that answers as `reply` says.
pub(crate) async fn engine<R, F, B>(reply: R) -> SocketAddr
where
    R: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let reply = reply.clone();
            let service = service_fn(move |request| {
                let answer = reply(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .with_upgrades(),
            );
        }
    });
    addr
}

/// An engine that reads a request's head and then says `bytes`, again and again if told so.
pub(crate) async fn liar(bytes: &'static [u8], for_ever: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                    if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                while stream.write_all(bytes).await.is_ok() && for_ever {}
            });
        }
    });
    addr
}
