//! A keeper: the one task that acts on one smartbox.
//!
//! It takes no input. Woken by its bell or its timer it reads the row and the sandbox, plans, performs
//! and records, until there is nothing to do. Two wishes at once are one look; a wish during a step is
//! seen by the next look. Whatever it knows besides the row (that the engine answers, that its model
//! calls are served) it can find out again, so that the next process goes on where this one died.

mod boot;
mod home;
mod moment;
mod now;
mod perform;
mod ready;
mod rest;
mod run;
mod share;
mod strike;
mod unboxed;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::Observed;
use smartbox_core::smartbox::pulse::Pulse;
use smartbox_core::smartbox::vitals::Ending;
use smartbox_core::smartbox::{Smartbox, State};
use smartbox_core::time::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::control::Control;
use crate::error::ControlError;
use crate::trail::Trail;
pub(crate) use boot::LAST_GOOD;
use moment::Moment;
pub(crate) use now::Now;

/// Keeps one smartbox.
pub(crate) struct Keeper {
    id: SmartboxId,
    engine: String,
    bell: Arc<Notify>,
    now: watch::Sender<Now>,
    /// Wishes written so far, and how many of them the present look can have seen.
    wishes: AtomicU64,
    seen: AtomicU64,
    memory: Mutex<Memory>,
    /// Held by who begins something in the home, and whole by who forgets it or puts another in its place.
    /// How often that was done.
    home: Arc<tokio::sync::RwLock<u64>>,
    moment: Moment,
}

/// What the keeper remembers between two looks, and could find out again.
#[derive(Default)]
struct Memory {
    /// The engine said that it is ready, after this many starts of its process.
    ready: Option<u32>,
    /// Serves the model calls of the present sandbox.
    models: Option<JoinHandle<()>>,
    /// Serves what else it sends out.
    egress: Option<JoinHandle<()>>,
    /// Since when a stop has been waiting for the engine to finish its work.
    stopping: Option<Instant>,
    /// Since when it has been asked in vain to hold still.
    unheard: Option<Instant>,
    /// Since when init has not answered.
    mute: Option<Instant>,
    /// Not to sleep before this time: an alarm was due, and its job may take a moment to begin.
    hold: Option<Timestamp>,
    /// The configuration that the engine was started with, until it has proved good.
    config: Option<bytes::Bytes>,
    /// That configuration is not the owner's, which was refused.
    fell_back: bool,
    /// The last answers to the engine's probe.
    pulse: Pulse,
    /// When to probe next; not before the engine was ready.
    probe_at: Option<Instant>,
    /// The engine runs and does not answer.
    dead: bool,
    /// What the last look saw, and when that was.
    seen: Option<(Timestamp, Observed)>,
    /// How the engine ended last during a start.
    ending: Option<Ending>,
    /// The wish that the present steps make true.
    cause: Trail,
}

/// What came of a step.
enum Done {
    /// Go on.
    Yes,
    /// Not now: look again after this time.
    NotNow(Duration),
}

impl Keeper {
    pub(crate) fn new(row: &Smartbox, bell: Arc<Notify>) -> Arc<Self> {
        let (now, _) = watch::channel(Now::of(row));
        Arc::new(Self {
            id: row.id.clone(),
            engine: row.engine.clone(),
            bell,
            now,
            wishes: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            memory: Mutex::default(),
            home: Arc::default(),
            moment: Moment::default(),
        })
    }

    /// Which box it keeps.
    pub(crate) fn id(&self) -> &SmartboxId {
        &self.id
    }

    /// Keeps the home from being forgotten for as long as this is held.
    pub(crate) async fn enter(&self) -> tokio::sync::OwnedRwLockReadGuard<u64> {
        self.home.clone().read_owned().await
    }

    /// Keeps everybody from the files of the home for as long as this is held. Who puts another home in
    /// its place counts it.
    pub(crate) async fn alone(&self) -> tokio::sync::OwnedRwLockWriteGuard<u64> {
        self.home.clone().write_owned().await
    }

    /// Asks for a look.
    pub(crate) fn nudge(&self) {
        self.bell.notify_one();
    }

    /// What is done next is done for this.
    pub(crate) fn because(&self, cause: Trail) {
        self.memory().cause = cause;
    }

    /// A new wish was written: what was settled before is not settled for it, and a look that began
    /// before settles nothing.
    pub(crate) fn unsettle(&self) {
        self.wishes.fetch_add(1, Ordering::SeqCst);
        self.now.send_modify(|now| now.settled = false);
    }

    /// How things stand, now and from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<Now> {
        self.now.subscribe()
    }

    /// How things stand.
    pub(crate) fn now(&self) -> Now {
        self.now.borrow().clone()
    }

    /// Where it is, as in the row.
    pub(crate) fn state(&self) -> State {
        self.now.borrow().state
    }

    /// What the last look saw, and when that was: for those who look at many boxes at once.
    pub(crate) fn seen(&self) -> Option<(Timestamp, Observed)> {
        self.memory().seen.clone()
    }

    /// Waits until there is no sandbox.
    pub(crate) async fn at_rest(&self) {
        let mut seen = self.now.subscribe();
        let _ = seen
            .wait_for(|now| now.gone || matches!(now.state, State::Stopped | State::Failed))
            .await;
    }

    /// The port inside on which the engine listens.
    pub(crate) fn port(&self, control: &Control) -> u16 {
        control.engine(&self.engine).map_or(0, |slot| slot.engine.manifest().port)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what is being done, for loading pages and `status`.
    pub(crate) fn say(&self, phase: &str) {
        self.now.send_if_modified(|now| {
            let changed = now.phase != phase;
            phase.clone_into(&mut now.phase);
            changed
        });
    }

    fn notice(&self, notice: Option<String>) {
        self.now.send_modify(|now| now.notice = notice);
    }

    fn forget_sandbox(&self) {
        let mut memory = self.memory();
        memory.ready = None;
        memory.config = None;
        (memory.dead, memory.probe_at) = (false, None);
        for served in [memory.models.take(), memory.egress.take()].into_iter().flatten() {
            served.abort();
        }
        drop(memory);
        self.now.send_modify(|now| now.ready = false);
    }

    /// Serves the model calls of the present sandbox and what else it sends out, once.
    fn serve_calls(self: &Arc<Self>, control: &Arc<Control>) -> Result<(), ControlError> {
        let port = control.engine(&self.engine)?.engine.manifest().model_port;
        let mut memory = self.memory();
        if memory.models.as_ref().is_none_or(JoinHandle::is_finished) {
            memory.models = Some(control.serve_models(self, &self.id, port));
        }
        // A scratch box reaches nobody.
        let serves = !control.archiving.is_scratch(&self.id);
        if serves && memory.egress.as_ref().is_none_or(JoinHandle::is_finished) {
            memory.egress = Some(control.serve_egress(self, &self.id));
        }
        Ok(())
    }
}
