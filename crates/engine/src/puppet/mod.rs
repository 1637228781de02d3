//! Puppet, the pretend engine: starts in milliseconds, holds a conversation, and behaves where it
//! matters as OpenClaw 2026.9.6 was measured to (`docs/reference/engine.md`): what is durable when,
//! what a kill leaves behind, what a lease refuses.
//!
//! It is a program of its own (`smartbox-puppet`) and a library: [`Puppet::serve`] answers one
//! connection in this process, for tests with hundreds of boxes. It is no stub of the adapter: the
//! adapter speaks to both by the same bytes.

mod config;
mod connect;
mod cron;
mod http;
mod journal;
mod methods;
mod model;
mod rows;
mod sessions;
mod socket;
mod suspend;
mod turn;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use smartbox_core::sandbox::port::Dial;
use smartbox_core::time::{Clock, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use config::Refused;

/// The version that it says it has.
pub const VERSION: &str = "2026.9.6";
/// The build that its page must say it is of.
pub const BUILD: &str = "2026.9.6-puppet";
/// Its state in the home, beside the configuration.
const STATE: &str = ".openclaw";
/// How long connections may take to close.
const GOODBYE: Duration = Duration::from_secs(2);

/// How a puppet is made.
pub struct Options {
    /// The box's home: `.openclaw/openclaw.json` is its configuration, its state stands beside it.
    pub home: PathBuf,
    /// The way out, to the AI gateway's port.
    pub outbound: Arc<dyn Dial>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How it plays.
    pub play: Play,
}

/// How a puppet plays; each can be set by an environment variable of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Play {
    /// `PUPPET_ECHO=1`: answers by itself instead of calling a model. A message with `slow:<ms>` in
    /// it is answered so much later.
    pub echo: bool,
    /// `PUPPET_START_MS`: how long it says that it is starting.
    pub start: Duration,
    /// `PUPPET_LEASE_MS`: how long a suspension lasts.
    pub lease: Duration,
    /// `PUPPET_TICK_MS`: time between ticks.
    pub tick: Duration,
    /// `PUPPET_MISSED_MS`: how long after its start it runs the jobs that it missed.
    pub missed: Duration,
    /// `PUPPET_RECOVERY_MS`: how long after its start it runs interrupted turns anew.
    pub recovery: Duration,
}

impl Default for Play {
    fn default() -> Self {
        Self {
            echo: false,
            start: Duration::ZERO,
            lease: Duration::from_secs(120),
            tick: Duration::from_secs(30),
            missed: Duration::from_secs(120),
            recovery: Duration::from_millis(300),
        }
    }
}

/// A pretend engine. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct Puppet {
    inner: Arc<Inner>,
}

struct Inner {
    /// The configuration that it goes by, and where the file is.
    config: Mutex<config::Read>,
    file: PathBuf,
    play: Play,
    clock: Arc<dyn Clock>,
    outbound: Arc<dyn Dial>,
    journal: journal::Journal,
    state: Mutex<State>,
    events: broadcast::Sender<Arc<Event>>,
    /// Turns at work.
    busy: watch::Sender<usize>,
    draining: watch::Sender<bool>,
    jobs_changed: tokio::sync::Notify,
    started: Timestamp,
    killed: CancellationToken,
    /// Connections that say goodbye before the puppet has ended.
    talks: TaskTracker,
}

/// What is in memory; every lasting part of it is in the journal first.
#[derive(Default)]
struct State {
    sessions: sessions::Sessions,
    jobs: Vec<cron::Job>,
    suspension: suspend::Suspension,
    counter: u64,
}

/// Something that every connection is told.
struct Event {
    name: &'static str,
    payload: Value,
}

impl Puppet {
    /// Reads configuration and state. Refuses a bad configuration and a home that another puppet
    /// uses.
    pub fn open(options: Options) -> Result<Self, Refused> {
        let dir = options.home.join(STATE);
        let file = dir.join("openclaw.json");
        let config = Mutex::new(config::Read::new(&file)?);
        let (journal, entries) = journal::Journal::open(&dir).map_err(Refused::State)?;
        let started = options.clock.now();
        let mut state = State::default();
        for entry in entries {
            state.replay(entry);
        }
        state.sessions.interrupted();
        cron::defer_missed(&mut state.jobs, started, options.play.missed);
        let puppet = Self {
            inner: Arc::new(Inner {
                config,
                file,
                play: options.play,
                clock: options.clock,
                outbound: options.outbound,
                journal,
                state: Mutex::new(state),
                events: broadcast::channel(1_024).0,
                busy: watch::Sender::new(0),
                draining: watch::Sender::new(false),
                jobs_changed: tokio::sync::Notify::new(),
                started,
                killed: CancellationToken::new(),
                talks: TaskTracker::new(),
            }),
        };
        puppet.spawn(turn::recover(puppet.clone()));
        puppet.spawn(cron::run(puppet.clone()));
        Ok(puppet)
    }

    /// Looks whether one could open this home, and changes nothing: also beside one that has it open.
    pub fn check(home: &std::path::Path) -> Result<(), Refused> {
        let dir = home.join(STATE);
        config::Read::new(&dir.join("openclaw.json"))?;
        journal::check(&dir).map_err(Refused::State)
    }

    /// The port that its configuration names.
    pub fn port(&self) -> u16 {
        self.config().port
    }

    /// The configuration that it goes by.
    fn config(&self) -> Arc<config::Config> {
        self.inner.config.lock().unwrap_or_else(PoisonError::into_inner).config.clone()
    }

    /// Looks at the file, as OpenClaw does when it sees it change.
    fn look_at_file(&self) -> config::Told {
        self.inner.config.lock().unwrap_or_else(PoisonError::into_inner).again(&self.inner.file)
    }

    /// Answers HTTP and WebSocket on one connection until it closes or the puppet is killed.
    pub async fn serve(&self, io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        tokio::select! {
            () = http::serve(self.clone(), io) => {}
            () = self.inner.killed.cancelled() => {}
        }
    }

    /// Takes no more work, finishes what it has, says goodbye. As on SIGTERM.
    pub async fn drain(&self) {
        self.inner.draining.send_replace(true);
        let mut busy = self.inner.busy.subscribe();
        // The sender is ours, so that waiting can't fail.
        let _ = busy.wait_for(|n| *n == 0).await;
        self.tell("shutdown", json!({ "reason": "gateway stopping" }));
        self.inner.killed.cancel();
    }

    /// Ends everything at once, as `kill -9` would. What the journal holds stays.
    pub fn kill(&self) {
        self.inner.killed.cancel();
    }

    /// Runs until the puppet is killed.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let killed = self.inner.killed.clone();
        tokio::spawn(async move { killed.run_until_cancelled(work).await });
    }

    /// Returns once it has ended, by itself or killed.
    pub async fn ended(&self) {
        self.inner.killed.cancelled().await;
        self.inner.talks.close();
        let _ = tokio::time::timeout(GOODBYE, self.inner.talks.wait()).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    fn tell(&self, name: &'static str, payload: Value) {
        // Nobody may listen.
        let _ = self.inner.events.send(Arc::new(Event { name, payload }));
    }

    /// An id that no other start of this home uses.
    fn fresh_id(&self, what: &str) -> String {
        let mut state = self.state();
        state.counter += 1;
        format!("{what}-{:x}-{}", self.inner.started.0, state.counter)
    }

    /// Writes entries to the journal, for good, then makes them so.
    async fn record(&self, entries: Vec<journal::Entry>) {
        let entries = match self.inner.journal.append(entries).await {
            Ok(entries) => entries,
            // An engine without its database ends, and acknowledges nothing more.
            Err(error) => {
                tracing::error!(%error, "puppet cannot write its journal");
                self.kill();
                return std::future::pending().await;
            }
        };
        let mut state = self.state();
        for entry in entries {
            state.replay(entry);
        }
    }

    fn phase(&self) -> Phase {
        if *self.inner.draining.borrow() {
            return Phase::Draining;
        }
        if self.now().since(self.inner.started) < self.inner.play.start {
            return Phase::Starting;
        }
        if self.state().suspension.held(self.now()) { Phase::Suspended } else { Phase::Started }
    }
}

/// What the puppet can do just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Started,
    Suspended,
    Draining,
}

impl State {
    fn replay(&mut self, entry: journal::Entry) {
        match entry {
            journal::Entry::Session { key, id } => self.sessions.make(&key, &id),
            journal::Entry::Row { session, row } => self.sessions.add(&session, row),
            journal::Entry::Pending { session, item } => self.sessions.pend(&session, item),
            journal::Entry::Job(job) => self.jobs.push(job),
            journal::Entry::JobGone { id } => self.jobs.retain(|job| job.id != id),
        }
    }
}
