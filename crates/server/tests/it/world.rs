//! A platform in this process: records in memory, simulated sandboxes, an engine that repeats what
//! it is told, a real listener on a free port.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use reqwest::{Client, Method, RequestBuilder};
use smartbox_control::activity::Counting;
use smartbox_control::{Book, BookParts, Control, EngineSlot, Parts, Settings, Tracker};
use smartbox_core::engine::port::{Conversations, Engine, EngineError};
use smartbox_core::engine::{
    Configured, Conversation, Health, HistoryEntry, Manifest, Part, Role,
    Settings as EngineSettings, Suspended, Turn, TurnEvent,
};
use smartbox_core::limit::Rates;
use smartbox_core::limit::port::Meter;
use smartbox_core::model::Caller;
use smartbox_core::model::port::ModelCalls;
use smartbox_core::moves::Found;
use smartbox_core::moves::port::Bucket;
use smartbox_core::sandbox::Limits;
use smartbox_core::sandbox::port::{Conn, Dial, Runtime};
use smartbox_core::secret::Secret;
use smartbox_core::secret::port::Rotation;
use smartbox_core::smartbox::plan::SleepPolicy;
use smartbox_core::smartbox::{Desired, Kind, Smartbox};
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::store::Store;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_core::{BoxFuture, BoxStream};
use smartbox_edge::{Edge, EdgeParts, EdgeSettings, MemoryMeter, Scheme};
use smartbox_engine::openclaw::{OpenClaw, OpenClawConfigs};
use smartbox_runtime::sim::Sim;
use smartbox_server::access::{Access, Master, Newcomer};
use smartbox_server::app::{About, App, Inner};
use smartbox_server::buckets::{Buckets, Opening};
use smartbox_server::config::devices::{Browsers, Devices};
use smartbox_server::config::http::PublicUrl;
use smartbox_server::http::{dispatch, router};
use smartbox_server::metrics::{Counted, Metrics};
use smartbox_server::sign_in::SignIn;
use smartbox_server::site::Site;
use smartbox_server::system::{SystemClock, SystemEntropy};
use smartbox_server::tls::{Accept, Keeper};
use smartbox_store::{Keys, Memory, Sqlite};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// The master token of every world.
pub const MASTER: &str = "a-master-token-of-some-length";
/// The version of the engine of every world.
const VERSION: &str = "1";

/// In which manner a platform is set up.
#[derive(Default)]
pub struct Manner {
    /// Nobody needs a token to sign in.
    pub dev: bool,
    /// Where people find it; the port is the real one if there is any.
    pub url: Option<PublicUrl>,
    /// TLS of its own.
    pub tls: Option<Arc<Keeper>>,
    /// Records on disk, sealed under this key; in memory without.
    pub on_disk: Option<MasterKey>,
    /// Networks of proxies that it believes.
    pub proxies: Vec<ipnet::IpNet>,
    /// What lets browsers in.
    pub browsers: Browsers,
    /// Limits; none without.
    pub rates: Option<Rates>,
}

/// A platform that ends when it is dropped.
pub struct World {
    pub app: App,
    pub sim: Arc<Sim>,
    /// The account of what leaves boxes.
    pub book: Arc<Book>,
    pub port: u16,
    /// The token of the link.
    pub token: String,
    /// The local socket.
    pub socket: std::path::PathBuf,
    client: Client,
    /// With the database and its key, where it has them on disk.
    pub dir: tempfile::TempDir,
    _serving: Vec<AbortOnDropHandle<()>>,
}

impl World {
    /// With the account `me` and its box `pa`, which is asleep.
    pub async fn new() -> Self {
        Self::with(Manner::default()).await
    }

    /// The same, where nobody needs a token to sign in.
    pub async fn dev() -> Self {
        Self::with(Manner { dev: true, ..Manner::default() }).await
    }

    /// The same with records as an installation has them: sealed, in a database.
    pub async fn on_disk(master: MasterKey) -> Self {
        Self::with(Manner { on_disk: Some(master), ..Manner::default() }).await
    }

    /// The same, where others vouch for people; they may have to know the port.
    pub async fn vouched(sign_in: impl AsyncFnOnce(u16) -> SignIn) -> Self {
        Self::build(Manner::default(), sign_in).await
    }

    /// Both.
    pub async fn vouched_with(manner: Manner, sign_in: impl AsyncFnOnce(u16) -> SignIn) -> Self {
        Self::build(manner, sign_in).await
    }

    /// The same, in this manner.
    pub async fn with(manner: Manner) -> Self {
        Self::build(manner, nobody).await
    }

    async fn build(manner: Manner, sign_in: impl AsyncFnOnce(u16) -> SignIn) -> Self {
        smartbox_ai_gateway::install_crypto();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sim = Sim::new(Arc::new(|_, _| Box::pin(async {})));
        let dir = tempfile::tempdir().unwrap();
        let vouching = sign_in(port).await;
        let (app, edge, book) = platform(&sim, port, (&manner, vouching), dir.path()).await;
        let token = app.access.link(&app.account.id).await.unwrap().expose().clone();
        let socket = dir.path().join("control.sock");
        let local = UnixListener::bind(&socket).unwrap();
        let serving = vec![serve_tcp(&app, edge, listener, manner.tls), serve_local(&app, local)];
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { app, sim, book, port, token, socket, client, dir, _serving: serving }
    }

    /// Where the platform's own pages are.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A request with nothing to say who asks.
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.origin()))
    }

    /// A request with the link's token as its bearer.
    pub fn as_owner(&self, method: Method, path: &str) -> RequestBuilder {
        self.ask(method, path).bearer_auth(&self.token)
    }

    /// A request to a box's own host.
    pub fn to_box(&self, method: Method, label: &str, path: &str) -> RequestBuilder {
        self.ask(method, path).header("host", format!("{label}.localhost:{}", self.port))
    }

    /// Signs a browser in on the platform's origin: its `Cookie` line.
    pub async fn sign_in(&self) -> String {
        let answer =
            self.ask(Method::GET, &format!("/?token={}", self.token)).send().await.unwrap();
        cookie(&answer).expect("a session")
    }

    pub async fn pa(&self) -> Smartbox {
        self.app.control.find(&self.app.account.id, "pa").await.unwrap()
    }

    pub async fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.socket).await.unwrap()
    }
}

/// Nobody vouches for anybody.
async fn nobody(_: u16) -> SignIn {
    SignIn::none(&SystemEntropy)
}

/// A browser that says nothing of itself.
pub fn newcomer() -> Newcomer {
    let [name, platform, address] = ["a browser", "unknown", "192.0.2.1"].map(str::to_owned);
    Newcomer { name, platform, address, by: "" }
}

/// Where a browser is led that has signed in on its way to this page: it shows its key first.
pub fn by_its_key(page: &str) -> String {
    let next: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
    format!("/browser?next={next}")
}

/// The pair that an answer sets as a cookie.
pub fn cookie(answer: &reqwest::Response) -> Option<String> {
    let line = answer.headers().get("set-cookie")?.to_str().ok()?;
    line.split(';').next().map(str::to_owned)
}

#[expect(clippy::too_many_lines, reason = "a list of parts, in the order in which they are made")]
async fn platform(
    sim: &Arc<Sim>,
    port: u16,
    (manner, vouching): (&Manner, SignIn),
    dir: &std::path::Path,
) -> (App, Edge, Arc<Book>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy = Arc::new(SystemEntropy);
    let (store, rotation) = records(dir, manner.on_disk, &clock).await;
    let tracker = Tracker::new(clock.clone());
    let limits = Limits { cpu_millis: 0, memory_bytes: 0, pids: 0, disk_bytes: 0 };
    let metrics = Arc::new(Metrics::default());
    let store: Arc<dyn Store> = Counted::over(store, metrics.clone());
    let book = Book::new(BookParts {
        store: store.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        kinds: smartbox_control::Kinds::shipped().unwrap(),
        presets: smartbox_control::Presets::shipped().unwrap(),
        services: smartbox_control::Services::shipped().unwrap(),
        everywhere: vec![],
    });
    let control = Control::open(Parts {
        store: store.clone(),
        runtime: sim.clone(),
        host: Arc::new(smartbox_runtime::Machine),
        kinds: smartbox_control::Kinds::shipped().unwrap(),
        homes: sim.clone(),
        places: sim.clone(),
        snapshots: Arc::new(snapshots(dir)),
        gauges: sim.clone(),
        telemetry: metrics.clone(),
        engines: vec![EngineSlot {
            engine: Arc::new(Parrot::new()),
            configs: Arc::new(OpenClawConfigs::puppet(OpenClaw::puppet().unwrap())),
            conversations: Arc::new(Parrot::new()),
            dir: "/nowhere".into(),
            complaint: |_| None,
        }],
        models: Arc::new(NoModels),
        egress: Arc::new(NoModels),
        book: book.clone(),
        activity: tracker.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        works: Vec::new(),
        settings: Settings {
            tiers: [("small".to_owned(), limits)].into(),
            default_tier: "small".into(),
            sleep: SleepPolicy {
                freeze_after: Duration::from_secs(3600),
                stop_after: Duration::from_secs(7200),
            },
            page_out: false,
            overcommit: 100,
            boots: 4,
            patience: 1,
            heartbeat: Duration::from_secs(5),
            model: "default".into(),
            jobs: smartbox_control::jobs::Limits::default(),
            snapshots: smartbox_control::SnapshotSettings {
                objective: Duration::from_secs(3600),
                keep: smartbox_core::snapshot::Keep::default(),
                tombstones: Duration::from_secs(3600),
                drill_every: None,
                exclude: vec![],
            },
            doors: smartbox_control::Doors {
                models: smartbox_control::Door { each: 64, all: 64 },
                proxy: smartbox_control::Door { each: 64, all: 64 },
            },
            trust: smartbox_control::Trust::default(),
            origins: Arc::new(|label| vec![format!("http://{label}.localhost")]),
        },
    })
    .await
    .unwrap();
    let account = control.ensure_account("me").await.unwrap();
    let pa = smartbox_control::NewSmartbox::of("pa", Kind::PA, Desired::Auto);
    control.create(&smartbox_control::Actor::platform(), &account.id, pa).await.unwrap();
    let master = Master::new(&Secret::new(MASTER.to_owned()));
    let access = Access::new(store.clone(), clock.clone(), entropy.clone(), Some(master));
    let site = match &manner.url {
        Some(url) => Site::public(&PublicUrl { port: url.port.map(|_| port), ..url.clone() }),
        None => Site::local(port),
    };
    let scheme = if site.secure() { Scheme::Https } else { Scheme::Http };
    let mut settings = EdgeSettings::new(scheme, site.base(), site.port(), "");
    settings.proxies.clone_from(&manner.proxies);
    let rates = manner.rates.clone().unwrap_or(Rates::NONE);
    let meter: Arc<dyn Meter> = Arc::new(MemoryMeter::new(rates));
    let draining = CancellationToken::new();
    settings.sign_in = format!("{}/open/{{label}}", site.origin());
    let edge = Edge::new(EdgeParts {
        resolve: control.clone(),
        activity: Arc::new(Counting(tracker)),
        admit: access.clone(),
        meter: meter.clone(),
        clock: clock.clone(),
        telemetry: metrics.clone(),
        settings,
        drain: draining.clone(),
    });
    let about = About {
        started: clock.now(),
        data_dir: "/nowhere".into(),
        runtime: sim.capabilities(),
        engine: ("parrot".into(), VERSION.into()),
        providers: vec![("anthropic".into(), Some("ANTHROPIC_API_KEY".into()))],
        given: vec![],
        master_key: match manner.on_disk {
            Some(MasterKey::Given) => "env".into(),
            _ => "file".into(),
        },
        sleep_after: "1h".into(),
        desired: Desired::Auto,
    };
    let ready = Default::default();
    let env = smartbox_server::config::Env::default();
    let config = smartbox_server::config::Config::load(dir, &env, &Default::default()).unwrap();
    let buckets = Buckets { own: config.snapshots, store: store.clone(), open: shelf };
    let inner = Inner {
        control,
        store,
        buckets,
        rotation,
        access,
        meter,
        clock,
        entropy,
        sign_in: Arc::new(vouching),
        site,
        account,
        about,
        devices: Devices { browsers: manner.browsers },
        dev: manner.dev,
        ready,
        denials: Default::default(),
        metrics,
        edge: edge.clone(),
        draining,
    };
    (App::new(inner), edge, book)
}

/// Where the master key of a world on disk is.
#[derive(Clone, Copy)]
pub enum MasterKey {
    /// Beside the database.
    File,
    /// The operator gives it.
    Given,
}

/// Opens the records in a directory, as a start does.
pub async fn open(dir: &std::path::Path, master: MasterKey, clock: &Arc<dyn Clock>) -> Arc<Sqlite> {
    let (database, entropy) = (dir.join("smartbox.db"), Arc::new(SystemEntropy));
    let keys = match master {
        MasterKey::File => Keys::load_or_create(&dir.join("master.key"), &database, &*entropy),
        MasterKey::Given => Keys::given(&"11".repeat(32), None),
    };
    Arc::new(Sqlite::open(&database, keys.unwrap(), clock.clone(), entropy).await.unwrap())
}

/// Records and what they are sealed under; those in memory are sealed under nothing.
async fn records(
    dir: &std::path::Path,
    on_disk: Option<MasterKey>,
    clock: &Arc<dyn Clock>,
) -> (Arc<dyn Store>, Arc<dyn Rotation>) {
    let sqlite = open(dir, on_disk.unwrap_or(MasterKey::File), clock).await;
    match on_disk {
        Some(_) => (sqlite.clone(), sqlite),
        None => (Arc::new(Memory::new(clock.clone(), &SystemEntropy)), sqlite),
    }
}

fn serve_tcp(
    app: &App,
    edge: Edge,
    listener: TcpListener,
    tls: Option<Arc<Keeper>>,
) -> AbortOnDropHandle<()> {
    let router = router(app);
    let accept = tls.map(|keeper| Accept::new(&keeper).unwrap());
    AbortOnDropHandle::new(tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let (edge, router, accept) = (edge.clone(), router.clone(), accept.clone());
            tokio::spawn(async move {
                match accept {
                    Some(accept) => dispatch::tls(&edge, router, &accept, stream, peer).await,
                    None => dispatch::tcp(&edge, router, stream, peer).await,
                }
            });
        }
    }))
}

fn serve_local(app: &App, listener: UnixListener) -> AbortOnDropHandle<()> {
    let (router, drain) = (router(app), app.draining.clone());
    AbortOnDropHandle::new(tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(dispatch::local(router.clone(), stream, 1234, drain.clone()));
        }
    }))
}

/// A bucket with a state directory in it, whatever server and key are named.
struct Shelf;

#[expect(clippy::needless_pass_by_value, reason = "the shape of what opens a bucket")]
fn shelf(of: Opening) -> Result<Arc<dyn Bucket>, SnapshotError> {
    match of.endpoint.contains("refuses") {
        true => Err(SnapshotError::Refused("it refuses".into())),
        false => Ok(Arc::new(Shelf)),
    }
}

const SHELF: [(&str, &str); 2] = [("openclaw.json", "{}"), ("workspace/MEMORY.md", "theirs")];

impl Bucket for Shelf {
    fn list(&self, _: String, _: usize) -> BoxFuture<'_, Result<Vec<Found>, SnapshotError>> {
        let found = SHELF.map(|(path, text)| Found::new(path, text.len() as u64));
        Box::pin(async move { Ok(found.into()) })
    }

    fn get(
        &self,
        path: String,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Result<Bytes, SnapshotError>>, SnapshotError>>
    {
        Box::pin(async move {
            let found = SHELF.iter().find(|(name, _)| path.ends_with(name));
            let (_, text) = found.ok_or(SnapshotError::Missing { what: "object" })?;
            let bytes: BoxStream<'static, _> =
                Box::pin(stream::iter([Ok(Bytes::from_static(text.as_bytes()))]));
            Ok(bytes)
        })
    }
}

struct NoModels;

impl smartbox_core::egress::port::Egress for NoModels {
    fn authority(
        &self,
    ) -> Result<smartbox_core::egress::port::Authority, smartbox_core::egress::port::BoxError> {
        Ok(smartbox_core::egress::port::Authority {
            certificate: "a certificate".into(),
            key: smartbox_core::secret::Secret::new("a key".into()),
        })
    }

    fn serve(
        &self,
        _: smartbox_core::id::SmartboxId,
        _: smartbox_core::sandbox::port::Incoming,
    ) -> smartbox_core::BoxFuture<'static, ()> {
        Box::pin(async {})
    }

    fn serve_names(
        &self,
        _: smartbox_core::id::SmartboxId,
        _: smartbox_core::sandbox::port::Incoming,
    ) -> smartbox_core::BoxFuture<'static, ()> {
        Box::pin(async {})
    }

    fn forget(&self, _: &smartbox_core::id::SmartboxId) {}
}

impl ModelCalls for NoModels {
    fn serve(&self, _: Caller, _: Conn) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

/// Repeats what it is told; `for ever` never to its end.
struct Parrot(Manifest);

impl Parrot {
    fn new() -> Self {
        Self(Manifest {
            name: "parrot".into(),
            version: VERSION.into(),
            floor: VERSION.into(),
            argv: vec!["parrot".into()],
            env: std::collections::BTreeMap::new(),
            port: 1,
            model_port: 2,
            workspace: "workspace".into(),
            config: "config".into(),
            dirs: vec![],
            config_exit: vec![],
            doctor: vec![],
            ready_secs: 60,
            grace_secs: 5,
        })
    }
}

type Turns = BoxStream<'static, Result<TurnEvent, EngineError>>;

impl Engine for Parrot {
    fn manifest(&self) -> &Manifest {
        &self.0
    }
    fn configure(&self, current: Option<&[u8]>, settings: &EngineSettings) -> Configured {
        OpenClaw::puppet().unwrap().configure(current, settings)
    }
    fn health<'a>(&'a self, _: &'a dyn Dial) -> BoxFuture<'a, Result<Health, EngineError>> {
        Box::pin(async { Ok(Health::Ready) })
    }
    fn chat(&self, _: Arc<dyn Dial>, turn: Turn) -> BoxFuture<'_, Result<Turns, EngineError>> {
        let text = format!("you said: {}", turn.text);
        if turn.text == "for ever" {
            let begun = stream::iter(vec![Ok(TurnEvent::Started), Ok(TurnEvent::Delta(text))]);
            let turns = Box::pin(begun.chain(stream::pending())) as Turns;
            return Box::pin(async move { Ok(turns) });
        }
        let events = vec![
            Ok(TurnEvent::Started),
            Ok(TurnEvent::Delta(text.clone())),
            Ok(TurnEvent::Answered(text)),
        ];
        Box::pin(async move { Ok(Box::pin(stream::iter(events)) as Turns) })
    }
    fn history<'a>(
        &'a self,
        _: &'a dyn Dial,
        _: &'a str,
        _: u32,
    ) -> BoxFuture<'a, Result<Vec<HistoryEntry>, EngineError>> {
        Box::pin(async { Ok(vec![]) })
    }
    fn suspend<'a>(
        &'a self,
        _: &'a dyn Dial,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Suspended, EngineError>> {
        let expires = Timestamp(i64::MAX);
        Box::pin(async move { Ok(Suspended::Ready { lease: "lease".into(), expires }) })
    }
    fn resume<'a>(&'a self, _: &'a dyn Dial, _: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(async { Ok(()) })
    }
    fn next_wake<'a>(
        &'a self,
        _: &'a dyn Dial,
    ) -> BoxFuture<'a, Result<Option<Timestamp>, EngineError>> {
        Box::pin(async { Ok(None) })
    }
}

/// Two conversations, and a history of 25 entries that its cursor counts; that of `for ever` never comes.
impl Conversations for Parrot {
    fn list<'a>(
        &'a self,
        _: &'a dyn Dial,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Part<Conversation>, EngineError>> {
        Box::pin(async move {
            let from = place(after)?;
            let all = ["main", "side"].map(|key| Conversation {
                key: format!("agent:main:{key}"),
                title: None,
                created: None,
                updated: Some(Timestamp(1)),
                messages: Some(25),
                tokens: None,
                working: false,
            });
            let items: Vec<_> = all.into_iter().skip(from).take(limit as usize).collect();
            let end = from + items.len();
            Ok(Part { items, next: (end < 2).then(|| end.to_string()) })
        })
    }
    fn page<'a>(
        &'a self,
        _: &'a dyn Dial,
        session: &'a str,
        before: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Part<HistoryEntry>, EngineError>> {
        Box::pin(async move {
            if session == "for ever" {
                return std::future::pending().await;
            }
            let to = 25_usize.saturating_sub(place(before)?);
            let from = to.saturating_sub(limit as usize);
            let entry = |n| HistoryEntry {
                role: Role::Person,
                text: format!("{session} {n}"),
                idempotency_key: None,
                at: None,
                complete: true,
            };
            let next = (from > 0).then(|| (25 - from).to_string());
            Ok(Part { items: (from..to).map(entry).collect(), next })
        })
    }
}

fn place(cursor: Option<&str>) -> Result<usize, EngineError> {
    let unknown = |_| EngineError::Refused { why: "no such place".into() };
    cursor.map_or(Ok(0), |cursor| cursor.parse().map_err(unknown))
}

/// This program as the reader of homes.
#[test]
#[ignore = "taking a snapshot starts it"]
fn reader() {
    smartbox_snapshot::reader_main();
}

fn snapshots(dir: &std::path::Path) -> smartbox_snapshot::Restic {
    let this = std::env::current_exe().unwrap().into_os_string();
    let words = ["--exact", "world::reader", "--ignored", "--test-threads=1"];
    let reader = [this].into_iter().chain(words.map(Into::into)).collect();
    smartbox_snapshot::Restic::directory(&dir.join("snapshots")).unwrap().with_reader(reader)
}
