//! `smartbox up`: everything between an empty directory and a platform that answers, and the way
//! back down. What is absent: printing (that is the caller's, by [`Event`]) and concrete drivers
//! (those are `boot.rs`'s).

pub(crate) mod account;
pub(crate) mod descriptors;
pub(crate) mod engine;
mod error;
mod event;
mod lock;
pub(crate) mod machine;
mod notify;
mod place;
pub(crate) mod serve;
mod signals;
mod socket;
mod tcp;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::boot;
use crate::config::{Config, Env, Overrides, place as data_place};
use crate::system::SystemClock;
use crate::tls::{Accept, Keeper};

pub use error::BootError;
pub use event::{Event, Ready};
pub use machine::exposure;
pub use socket::connect;

/// How to run.
#[derive(Debug, Clone)]
pub struct UpOptions {
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--insecure-no-sandbox`: run even where boxes cannot be isolated.
    pub insecure_no_sandbox: bool,
    /// `--stop-boxes`: stop every box when the platform ends, instead of leaving them running.
    pub stop_boxes: bool,
    /// The environment.
    pub env: Env,
    /// Program and arguments that reach `smartbox_runtime::nest_main`; this very program if empty.
    pub helper: Vec<OsString>,
    /// A file that a test harness keeps locked; boxes end themselves when it is not.
    pub lease: Option<PathBuf>,
    /// Cancelled by the caller, it is as good as a signal.
    pub stop: CancellationToken,
}

impl UpOptions {
    /// The usual way, with the environment of this process.
    pub fn new(env: Env) -> Self {
        Self {
            data_dir: None,
            listen: None,
            insecure_no_sandbox: false,
            stop_boxes: false,
            env,
            helper: Vec::new(),
            lease: None,
            stop: CancellationToken::new(),
        }
    }
}

/// Runs the platform until a signal, [`UpOptions::stop`], or another platform's takeover ends it.
/// `ui` is called from here only, and should return at once.
pub async fn up(options: UpOptions, ui: impl Fn(Event) + Send + Sync) -> Result<(), BootError> {
    // From here on a signal is ours: one that comes during an install ends that cleanly.
    let signals = signals::Signals::listen(options.stop.clone())?;
    let data_dir = data_place::data_dir(options.data_dir.as_deref(), &options.env)?;
    let over = Overrides { listen: options.listen.clone(), ..Overrides::default() };
    let config = Config::load(&data_dir, &options.env, &over)?;
    let keeper = keeper(&config)?;
    if keeper.is_some() && !std::io::stdin().is_terminal() {
        signals.hangup_is_no_end();
    }
    place::prepare(&data_dir)?;
    let lock = lock::take(&data_dir)?;
    // Before anything that takes long: a taken port should not be learnt after a download.
    let tcp = tcp::bind(config.http.listen).await?;
    let metrics = match config.metrics.listen {
        Some(address) => Some(tcp::bind(address).await?),
        None => None,
    };
    let started = signals.or_cut(boot::start(&options, config, tcp.port(), &ui)).await?;
    let socket = socket::bind(&data_dir)?;
    ui(Event::Ready(Box::new(started.ready.clone())));
    notify::tell(&options.env, "READY=1");
    let tls = tls(keeper)?;
    let doors = serve::Doors { tcp, tls, socket, metrics };
    let outcome = serve::run(&started, doors, &signals, &ui).await;
    notify::tell(&options.env, "STOPPING=1");
    let down = signals.or_cut(serve::down(started, options.stop_boxes, &ui)).await;
    drop(lock);
    outcome.and(down)
}

/// The operator's own certificate, if there is one.
fn keeper(config: &Config) -> Result<Option<Arc<Keeper>>, BootError> {
    let (Some(files), Some(url)) = (&config.http.tls, &config.http.url) else { return Ok(None) };
    let opened = Keeper::open(files.clone(), &url.host, Arc::new(SystemClock));
    opened.map(Some).map_err(|error| BootError::Certificate { why: error.to_string() })
}

fn tls(keeper: Option<Arc<Keeper>>) -> Result<Option<serve::Tls>, BootError> {
    let Some(keeper) = keeper else { return Ok(None) };
    let accept = Accept::new(&keeper).map_err(|e| BootError::broken("setting up TLS", e))?;
    Ok(Some(serve::Tls { accept, keeper }))
}
