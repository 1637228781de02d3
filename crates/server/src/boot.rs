//! The only file that names concrete drivers: it makes each of them and introduces them to one
//! another. What is absent: any rule of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use smartbox_ai_gateway::{DemoConfig, Gateway};
use smartbox_control::activity::Counting;
use smartbox_control::{
    Book, BookParts, Control, EngineSlot, Parts, Services, Settings, SnapshotSettings, Tracker,
};
use smartbox_core::activity::Activity;
use smartbox_core::engine::Manifest;
use smartbox_core::id::Entropy;
use smartbox_core::limit::port::Meter;
use smartbox_core::moves;
use smartbox_core::person::Right;
use smartbox_core::sandbox::Capabilities;
use smartbox_core::sandbox::port::{Runtime, RuntimeError};
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::smartbox::Base;
use smartbox_core::snapshot::port::{SnapshotError, Snapshots, Storage as _};
use smartbox_core::store::{self, StoreError};
use smartbox_core::telemetry::Telemetry;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_edge::{Edge, EdgeParts, EdgeSettings, Identity, MemoryMeter, Scheme};
use smartbox_egress::{Broker, SystemNames};
use smartbox_engine::identity;
use smartbox_engine::install::{self, InstallError, Installed, Progress};
use smartbox_engine::openclaw::{OpenClaw, OpenClawConfigs};
use smartbox_runtime::{Machine, Native, NativeConfig, Profile};
use smartbox_snapshot::{Bucket, ForeignBucket, Restic};
use smartbox_store::{Keys, KeysError, OpenError, Sqlite};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::access::{Access, Master};
use crate::app::{About, App, Inner};
use crate::buckets::{Buckets, Opening};
use crate::config::snapshots::{SECRETS, Storage};
use crate::config::{self, Config, ConfigError, vault};
use crate::given::Releases;
use crate::metrics::{Counted, Metrics, Noted};
use crate::sign_in::SignIn;
use crate::site::Site;
use crate::system::{SystemClock, SystemEntropy, trust};
use crate::traces::{TracedEngine, TracedRuntime};
use crate::up::account::{self, Ensured, Waits};
use crate::up::descriptors::Room;
use crate::up::{BootError, Event, Ready, UpOptions, engine, machine, serve};
use crate::{http as routes, models};

/// How often a running box is looked at.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The platform, put together and at work.
pub(crate) struct Started {
    pub(crate) control: Arc<Control>,
    pub(crate) access: Arc<Access>,
    pub(crate) edge: Edge,
    pub(crate) router: Router,
    /// What is counted, and nothing else.
    pub(crate) metrics: Router,
    pub(crate) draining: CancellationToken,
    pub(crate) ready: Ready,
    app: App,
    gateway: Gateway,
    store: Arc<Sqlite>,
}

impl Started {
    /// Forgets what has expired: sessions, and replies that were kept.
    pub(crate) async fn sweep(&self) -> Result<(), StoreError> {
        self.access.sweep(tokio::time::Instant::now()).await?;
        let now = SystemClock.now();
        let sweep = store::write(&*self.store, move |tx| {
            Box::pin(async move { tx.replies().sweep(now).await })
        });
        sweep.await
    }

    /// Writes down what was refused in minutes that are over.
    pub(crate) async fn tell_denials(&self) -> Result<(), StoreError> {
        self.app.denials.settle(&self.app, self.app.clock.now()).await
    }

    /// Writes what is still on its way, and closes the records.
    pub(crate) async fn settle(&self) {
        if let Err(error) = self.app.denials.close(&self.app, self.app.clock.now()).await {
            tracing::warn!(%error, "what was refused at last could not be written down");
        }
        self.gateway.settled().await;
        self.store.close().await;
    }
}

/// Puts the platform together on a prepared and locked data directory.
pub(crate) async fn start(
    options: &UpOptions,
    config: Config,
    port: u16,
    ui: &(impl Fn(Event) + Sync),
) -> Result<Started, BootError> {
    let (room, config) = Room::make(config);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let sqlite = records(&config, &clock, &entropy).await?;
    let (runtime, adopted) = runtime(options, &config).await?;
    let slot = engine_slot(&config, ui).await?;
    let site = config.http.url.as_ref().map_or_else(|| Site::local(port), Site::public);
    let about = about_of(&config, slot.engine.manifest(), runtime.capabilities(), clock.now());

    let tracker = Tracker::new(clock.clone());
    let activity: Arc<dyn Activity> = Arc::new(Counting(tracker.clone()));
    let metrics = Arc::new(Metrics::default());
    let counted = Counted::over(sqlite.clone(), metrics.clone());
    let gateway = gateway(&config, &sqlite, &counted, &tracker, &clock)?;
    let book = book(&config, &counted, &clock, &entropy)?;
    let (snapshots, objective) = snapshots(&config, &sqlite).await?;
    let control = Control::open(Parts {
        store: counted.clone(),
        runtime: Arc::new(TracedRuntime(runtime.clone())),
        homes: runtime.clone(),
        places: runtime.clone(),
        snapshots,
        gauges: runtime,
        telemetry: metrics.clone(),
        host: Arc::new(Machine),
        kinds: config.kinds.clone(),
        engines: vec![slot],
        models: Arc::new(gateway.clone()),
        egress: Arc::new(broker(&config, &room, &book, &sqlite, &clock, metrics.clone())),
        book,
        activity: tracker,
        clock: clock.clone(),
        entropy: entropy.clone(),
        works: Vec::new(),
        settings: settings(&config, &room, &site, objective),
    })
    .await
    .map_err(|e| BootError::broken("taking over the boxes", e))?;
    let first = first(&control, &*counted, &config).await?;

    let sign_in = sign_in(&config, &clock, &entropy)?;
    let access = access(&config, &counted, &clock, &entropy);
    let meter: Arc<dyn Meter> = Arc::new(MemoryMeter::new(config.limits.rates.clone()));
    let draining = CancellationToken::new();
    let edge = Edge::new(EdgeParts {
        resolve: control.clone(),
        activity,
        admit: access.clone(),
        meter: meter.clone(),
        clock: clock.clone(),
        telemetry: metrics.clone(),
        settings: edge_settings(&site, &config),
        drain: draining.clone(),
    });
    tokio::spawn(cut_off(access.ended(), edge.clone()));
    let buckets = Buckets { own: config.snapshots.clone(), store: counted.clone(), open: foreign };
    let app = App::new(Inner {
        control: control.clone(),
        store: counted,
        buckets,
        rotation: sqlite.clone(),
        access: access.clone(),
        meter,
        clock,
        entropy,
        sign_in,
        site,
        account: first.account.clone(),
        about,
        devices: config.devices,
        dev: config.dev,
        ready: Default::default(),
        denials: Default::default(),
        metrics,
        edge: edge.clone(),
        draining: draining.clone(),
    });
    let (ready, store) = (ready(&app, &config, &first, adopted).await?, sqlite);
    let (router, metrics) = (routes::router(&app), routes::metrics::alone(&app));
    Ok(Started { control, access, edge, router, metrics, draining, ready, app, gateway, store })
}

/// The first account, and its smartbox.
async fn first(
    control: &Arc<Control>,
    store: &dyn store::Store,
    config: &Config,
) -> Result<Ensured, BootError> {
    let ensured = account::ensure(control, store, &config.sleep).await;
    ensured.map_err(|e| BootError::broken("making the first account", e))
}

/// Who may come in, by the records and by the master token.
fn access(
    config: &Config,
    counted: &Arc<Counted>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Arc<Access> {
    let master = config.given.master.as_ref().map(Master::new);
    Access::new(counted.clone(), clock.clone(), entropy.clone(), master)
}

/// What to tell the person: a fresh link above all.
async fn ready(
    app: &App,
    config: &Config,
    first: &Ensured,
    adopted: usize,
) -> Result<Ready, BootError> {
    let broken = |e: StoreError| BootError::broken("making the link", e);
    let (about, site) = (&app.about, &app.site);
    let token = app.access.link(&app.account.id).await.map_err(broken)?;
    let models = models::ready(&*app.store, &app.account.id, &about.providers, &about.given);
    let models = models.await.map_err(broken)?;
    Ok(Ready {
        link: Secret::new(format!("{}/?token={}", site.origin(), token.expose())),
        url: site.origin(),
        pa_url: first.boxes.iter().find(|b| b.base == Base::Pa).map(|b| site.box_origin(&b.label)),
        data_dir: config.data_dir.clone(),
        runtime: about.runtime.clone(),
        engine: about.engine.clone(),
        missing: models.missing,
        advice: machine::advice(config)
            .into_iter()
            .chain(first.waits.as_ref().map(Waits::advice))
            .collect(),
        adopted,
    })
}

fn gateway(
    config: &Config,
    sqlite: &Arc<Sqlite>,
    counted: &Arc<Counted>,
    tracker: &Arc<Tracker>,
    clock: &Arc<dyn Clock>,
) -> Result<Gateway, BootError> {
    let turns = tracker.clone();
    Gateway::new(smartbox_ai_gateway::Parts {
        store: counted.clone(),
        release: Arc::new(Releases::new(sqlite.clone(), config.given.keys.clone())),
        activity: Arc::new(Counting(tracker.clone())),
        telemetry: counted.telemetry(),
        cause: Arc::new(move |id, span| turns.turn(id).leads_to(span)),
        clock: clock.clone(),
        providers: config.models.providers.clone(),
        preferred: config.models.preferred.clone(),
        demo: config.models.demo.then(DemoConfig::default),
        limits: smartbox_ai_gateway::Limits::default(),
    })
    .map_err(|e| BootError::broken("setting up the model providers", e))
}

/// Who vouches for people.
fn sign_in(
    config: &Config,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Arc<SignIn>, BootError> {
    let opened = SignIn::open(&config.sign_in, clock, entropy);
    opened.map(Arc::new).map_err(|e| BootError::broken("setting up sign-in", e))
}

/// What may leave which box.
fn book(
    config: &Config,
    counted: &Arc<Counted>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Arc<Book>, BootError> {
    Ok(Book::new(BookParts {
        store: counted.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        kinds: config.kinds.clone(),
        presets: config.egress.presets.clone(),
        services: Services::shipped()
            .map_err(|e| BootError::broken("reading how services are sent their keys", e))?,
        everywhere: config.egress.allow.clone(),
    }))
}

/// What boxes send out goes through it.
fn broker(
    config: &Config,
    room: &Room,
    book: &Arc<Book>,
    sqlite: &Arc<Sqlite>,
    clock: &Arc<dyn Clock>,
    telemetry: Arc<dyn Telemetry>,
) -> Broker {
    Broker::new(smartbox_egress::Parts {
        rules: book.clone(),
        release: sqlite.clone(),
        witness: Arc::new(Noted { witness: book.clone(), telemetry }),
        clock: clock.clone(),
        names: Arc::new(SystemNames),
        opened: config.egress.private.clone(),
        roots: Vec::new(),
        limits: smartbox_egress::Limits {
            connections: config.egress.connections,
            all_connections: room.egress,
            all_names: room.names,
            quota: config.egress.quota,
            ..smartbox_egress::Limits::default()
        },
    })
}

fn snapshot_settings(config: &Config, objective: Duration) -> SnapshotSettings {
    let of = &config.snapshots;
    SnapshotSettings {
        objective: of.objective.unwrap_or(objective),
        keep: of.keep,
        tombstones: of.tombstones,
        drill_every: Some(of.drill_every).filter(|every| !every.is_zero()),
        exclude: smartbox_snapshot::USUAL.iter().map(ToString::to_string).collect(),
    }
}

async fn records(
    config: &Config,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Arc<Sqlite>, BootError> {
    let database = config.data_dir.join("smartbox.db");
    let file = config.data_dir.join("keys/master.key");
    let keys = match &config.vault {
        vault::Master::File => Keys::load_or_create(&file, &database, &**entropy),
        vault::Master::Given(key, before) => {
            Keys::given(key.expose(), before.as_ref().map(|key| key.expose().as_str()))
        }
        vault::Master::Keyring => Keys::of_keyring(vault::KEYRING),
    };
    let keys =
        keys.map_err(|e: KeysError| BootError::Records { why: e.to_string(), source: e.into() })?;
    Sqlite::open(&database, keys, clock.clone(), entropy.clone()).await.map(Arc::new).map_err(|e| {
        match e {
            OpenError::Full { path } => BootError::Full { path },
            other => BootError::Records { why: other.to_string(), source: other.into() },
        }
    })
}

/// Where snapshots go, and how fresh they are to be there. Nothing is asked of a bucket yet: one that is
/// away must not keep boxes from running.
async fn snapshots(
    config: &Config,
    records: &Sqlite,
) -> Result<(Arc<dyn Snapshots>, Duration), BootError> {
    let kept = store::read(records, |tx| {
        Box::pin(async move {
            let mut kept = BTreeMap::new();
            for name in SECRETS {
                if let Some(value) = tx.secrets().open(Scope::Platform, name.to_owned()).await? {
                    kept.insert(name.to_owned(), value);
                }
            }
            Ok(kept)
        })
    });
    let kept = kept.await.map_err(|e: StoreError| BootError::broken("reading secrets", e))?;
    let storage = config.snapshots.place(&kept)?;
    let objective = storage.objective();
    let opened = shelf(&config.snapshots, storage)
        .map_err(|e| BootError::broken("opening the storage of snapshots", e))?;
    Ok((Arc::new(opened), objective))
}

fn shelf(of: &config::snapshots::Snapshots, storage: Storage) -> Result<Restic, SnapshotError> {
    let (endpoint, key_id, secret) = match storage {
        Storage::Directory(path) => return Restic::directory(&path),
        Storage::Bucket { endpoint, key_id, secret } => (endpoint, key_id, secret),
    };
    Restic::bucket(&Bucket {
        endpoint,
        bucket: of.bucket.clone(),
        region: of.region.clone(),
        key_id,
        secret,
        path_style: of.path_style,
        prefix: of.prefix.clone(),
        limits: smartbox_snapshot::Limits {
            concurrency: of.concurrency,
            bandwidth: of.bandwidth,
            ..smartbox_snapshot::Limits::default()
        },
    })
}

/// A bucket that a box is imported from. Somebody waits for it: it is not tried for long.
fn foreign(of: Opening) -> Result<Arc<dyn moves::port::Bucket>, SnapshotError> {
    let Opening { endpoint, bucket, region, path_style, key_id, secret } = of;
    let limits = smartbox_snapshot::Limits {
        retries: 3,
        patience: Duration::from_secs(30),
        ..smartbox_snapshot::Limits::default()
    };
    let prefix = String::new();
    let of = Bucket { endpoint, bucket, region, key_id, secret, path_style, prefix, limits };
    Ok(Arc::new(ForeignBucket::new(of.store()?)))
}

/// Where snapshots go by the configuration alone, and whether that place works: tried, and nothing kept.
/// For `doctor`, which does not open the vault.
pub async fn try_snapshots(config: &Config) -> Result<String, TrySnapshots> {
    let storage = config.snapshots.place(&BTreeMap::new()).map_err(TrySnapshots::Config)?;
    let absent = match &storage {
        Storage::Directory(path) if !path.exists() => Some(path.display().to_string()),
        _ => None,
    };
    if let Some(path) = absent {
        return Ok(format!("the directory {path}, which is not there yet; `smartbox up` makes it"));
    }
    let shelf = shelf(&config.snapshots, storage).map_err(TrySnapshots::Storage)?;
    shelf.probe().await.map_err(TrySnapshots::Storage)?;
    Ok(smartbox_core::snapshot::port::Storage::whereabouts(&shelf))
}

/// Why snapshots would go nowhere.
#[derive(Debug, thiserror::Error)]
pub enum TrySnapshots {
    /// Something is missing, or makes no sense.
    #[error(transparent)]
    Config(ConfigError),
    /// The place does not work.
    #[error(transparent)]
    Storage(SnapshotError),
}

/// Host uids that one installation may give out.
const BOXES: u32 = 100_000;

/// What makes sandboxes, and how many there are already.
async fn runtime(options: &UpOptions, config: &Config) -> Result<(Arc<Native>, usize), BootError> {
    // Names cgroups on this machine: short, and another for every data directory.
    let digest = Sha256::digest(config.data_dir.as_os_str().as_encoded_bytes());
    let mut native = NativeConfig::new(config.data_dir.clone(), hex::encode(&digest[..4]));
    // Two installations on one machine should not share host uids: each has a range of its own.
    native.uid_base += u32::from(u16::from_le_bytes([digest[4], digest[5]]) % 4096) * BOXES;
    if !options.helper.is_empty() {
        native.helper.clone_from(&options.helper);
    }
    if options.insecure_no_sandbox {
        native.profile = Profile::InsecureNone;
    }
    native.lease.clone_from(&options.lease);
    let native = Native::open(native).await.map_err(unusable)?;
    let adopted = native.list().await.map_err(unusable)?.len();
    Ok((Arc::new(native), adopted))
}

/// What this machine can do for isolation: tried, and nothing kept. For `doctor`.
pub async fn detect() -> Result<Capabilities, RuntimeError> {
    // A name of its own: a cgroup directory is made and removed on the way.
    let installation = format!("doctor{}", std::process::id());
    Native::detect(&NativeConfig::new(std::env::temp_dir(), installation)).await
}

fn unusable(error: RuntimeError) -> BootError {
    match error {
        RuntimeError::Unsupported { why } => BootError::Sandbox { why },
        other => BootError::broken("preparing the runtime", other),
    }
}

/// The engine that is configured, installed if it is not.
async fn engine_slot(
    config: &Config,
    ui: &(impl Fn(Event) + Sync),
) -> Result<EngineSlot, BootError> {
    let unreadable = |e| BootError::broken("reading the engine's manifest", e);
    let path = config.engine.path.as_deref();
    let (engine, dir): (_, _) = match config.engine.name.as_str() {
        "openclaw" => {
            let installed = match path {
                Some(dir) => install::adopt(dir).map_err(|e| unfit(config, e))?,
                None => install_openclaw(&config.data_dir, ui).await.map_err(not_installed)?,
            };
            (OpenClaw::new().map_err(unreadable)?, installed.dir)
        }
        "puppet" => {
            let dir = engine::place_puppet(&config.data_dir, path)?;
            (OpenClaw::puppet().map_err(unreadable)?, dir)
        }
        other => return Err(BootError::NoEngine { name: other.to_owned() }),
    };
    let configs = match config.engine.name.as_str() {
        "puppet" => OpenClawConfigs::puppet(engine.clone()),
        _ => OpenClawConfigs::installed(engine.clone(), &dir),
    };
    Ok(EngineSlot {
        configs: Arc::new(configs),
        conversations: Arc::new(engine.clone()),
        engine: Arc::new(TracedEngine(Arc::new(engine))),
        dir,
        complaint: smartbox_engine::complaint::complaint,
    })
}

/// Installs the engine beneath a data directory unless it is there, and starts nothing. Its
/// directory is what `[engine] path` takes.
pub async fn install_engine(
    data_dir: &Path,
    ui: impl Fn(Event) + Send + Sync,
) -> Result<PathBuf, BootError> {
    Ok(install_openclaw(data_dir, &ui).await.map_err(not_installed)?.dir)
}

async fn install_openclaw(
    data_dir: &Path,
    ui: &(impl Fn(Event) + Sync),
) -> Result<Installed, InstallError> {
    if let Some(there) = install::installed(data_dir)? {
        return Ok(there);
    }
    let report = |progress: Progress| {
        ui(Event::Installing {
            step: progress.phase.label(),
            done: progress.done,
            total: progress.total,
            unit: progress.unit,
        });
    };
    let installed = install::install(data_dir, &report).await?;
    let engine = format!("OpenClaw {} on Node.js {}", installed.version, installed.node);
    ui(Event::Installed { engine });
    Ok(installed)
}

/// `[engine] path` names what cannot be used: a mistake in the file, and nothing was installed.
fn unfit(config: &Config, error: InstallError) -> BootError {
    if !matches!(error, InstallError::NotAnEngine { .. }) {
        return not_installed(error);
    }
    let hint = "it takes the directory of an engine that `smartbox up` installed, like \
                engines/openclaw-… in a data directory; without the key the engine is installed";
    let error = ConfigError::value("engine.path", error.to_string(), hint);
    let text = config::text_of(&config.data_dir).unwrap_or_default();
    BootError::Config(error.placed(&config.data_dir.join(config::FILE), &text))
}

fn not_installed(error: InstallError) -> BootError {
    match error {
        InstallError::Full { dir, .. } => BootError::Full { path: dir },
        other => {
            let hint = other.hint().to_owned();
            BootError::Install { why: other.to_string(), hint, source: Some(other.into()) }
        }
    }
}

fn settings(config: &Config, room: &Room, site: &Site, objective: Duration) -> Settings {
    let origins = site.clone();
    Settings {
        tiers: config.tiers.clone(),
        default_tier: config.boxes.tier.clone(),
        sleep: config.sleep.policy(),
        page_out: config.sleep.page_out,
        overcommit: config.boxes.overcommit,
        boots: config.boxes.boots,
        patience: config.boxes.patience,
        heartbeat: HEARTBEAT,
        model: config.models.model.clone(),
        jobs: config.jobs,
        snapshots: snapshot_settings(config, objective),
        doors: room.doors(config.egress.connections),
        trust: trust(),
        origins: Arc::new(move |label| vec![origins.box_origin(label)]),
    }
}

/// Has open sockets ask again whether they may stay, whenever sessions may have ended.
async fn cut_off(mut ended: watch::Receiver<u64>, edge: Edge) {
    while ended.changed().await.is_ok() {
        edge.sessions_changed();
    }
}

fn edge_settings(site: &Site, config: &Config) -> EdgeSettings {
    let scheme = if site.secure() { Scheme::Https } else { Scheme::Http };
    let sign_in = format!("{}/open/{{label}}", site.origin());
    let mut settings = EdgeSettings::new(scheme, site.base(), site.port(), &sign_in);
    let via = HeaderValue::from_static("edge");
    settings.identity = Identity {
        user: Some(HeaderName::from_static(identity::USER)),
        fixed: vec![(HeaderName::from_static(identity::REQUIRED), via)],
        caps: [(Right::Read, identity::READS), (Right::Chat, identity::CHATS)]
            .map(|(right, scopes)| {
                let name = HeaderName::from_static(identity::SCOPES);
                (right, (name, HeaderValue::from_static(scopes)))
            })
            .into(),
        origin: None,
    };
    if config.dev {
        settings.notice = format!("DEV_MODE: {}", crate::http::reminder::SAID);
    }
    settings.limits.drain = serve::FINISH;
    let (limits, of) = (&mut settings.limits, &config.limits);
    (limits.connections, limits.per_client) = (of.connections, of.per_client);
    limits.sockets = of.sockets;
    let wire = &of.wire;
    (limits.streams, limits.resets, limits.mistakes) = (wire.streams, wire.resets, wire.mistakes);
    (limits.headers, limits.head_bytes) = (wire.headers, wire.head);
    limits.head_time = wire.head_time;
    (limits.frame_bytes, limits.frames, limits.frame_flow) = (wire.frame, wire.frames, wire.flow);
    settings.proxies.clone_from(&config.http.trusted_proxies);
    settings
}

fn about_of(
    config: &Config,
    engine: &Manifest,
    runtime: Capabilities,
    started: Timestamp,
) -> About {
    let providers = config.models.providers.iter();
    About {
        started,
        data_dir: config.data_dir.display().to_string(),
        runtime,
        engine: (engine.name.clone(), engine.version.clone()),
        providers: providers.map(|p| (p.name.clone(), p.secret.clone())).collect(),
        given: config.given.keys.keys().cloned().collect(),
        master_key: config.vault.to_string(),
        sleep_after: config.sleep.words.clone(),
        desired: config.sleep.desired(),
    }
}
