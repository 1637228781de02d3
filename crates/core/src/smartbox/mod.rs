//! A smartbox: the durable thing that people talk to.

pub mod alias;
pub mod breaker;
pub mod name;
pub mod plan;
pub mod port;
pub mod pulse;
pub mod repository;
pub mod selector;
pub mod vitals;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{AccountId, SmartboxId};
pub use crate::kind::{Base, Kind};
use crate::labels::Labels;
use crate::smartbox::plan::SleepPolicy;
use crate::time::Timestamp;
pub use vitals::Vitals;

/// The one row that holds all of a smartbox's state. What is observed is evidence, not state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Smartbox {
    /// Its identifier, for ever.
    pub id: SmartboxId,
    /// Who owns it.
    pub account: AccountId,
    /// Unique in its account.
    pub name: String,
    /// Unique in the installation: the first label of its host name.
    pub label: String,
    /// What people call it; its name if empty.
    pub display: String,
    /// What its owner sorts it by.
    pub labels: Labels,
    /// The template that it was made from.
    pub kind: Kind,
    /// What the platform makes of that kind.
    pub base: Base,
    /// How much of the machine it may use: the name of a row in the tier table.
    pub tier: String,
    /// The tier that its sandbox has, or had last; another one than `tier` until a safe moment.
    pub running_tier: Option<String>,
    /// The engine it runs: the name of a manifest.
    pub engine: String,
    /// What its owner wishes.
    pub desired: Desired,
    /// When it sleeps, where its owner decided.
    pub sleep: SleepChoice,
    /// A person's wish to let it sleep, until something wakes it.
    pub rest: Option<Rest>,
    /// Where it is on the way to what is wished.
    pub state: State,
    /// Why it is `failed`.
    pub failure: Option<Failure>,
    /// Starts since it was made; the fencing token of its current sandbox. One start, one epoch.
    pub epoch: u64,
    /// Which restart was asked for; a sandbox begun for an older one is replaced.
    pub restart: u64,
    /// The restart that the current sandbox was begun for.
    pub restarted: u64,
    /// Chooses its host uid; unique in the installation, never reused while the row lives.
    pub slot: u32,
    /// When the engine's own clock wants it awake next.
    pub alarm: Option<Timestamp>,
    /// The engine's lease identifier while it is suspended for sleep.
    pub suspension: Option<String>,
    /// When a person, a message or an alarm last needed it.
    pub last_active: Timestamp,
    /// Starts that failed in a row; decides the backoff.
    pub failures: u32,
    /// Not to be started again before this time.
    pub retry_at: Option<Timestamp>,
    /// How it has been doing.
    pub vitals: Vitals,
    /// To be removed, home and all, once its sandbox is gone.
    pub removing: bool,
    /// The files of its kind are in its home.
    pub furnished: bool,
    /// Rises with every change of what its owner decides.
    pub revision: u64,
    /// When it was made.
    pub created: Timestamp,
}

/// An owner's own times of sleep; the platform's where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SleepChoice {
    /// Idle for so long: frozen.
    pub freeze_after: Option<Duration>,
    /// Idle for so long: stopped.
    pub stop_after: Option<Duration>,
}

/// What the owner wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Desired {
    /// Always running.
    On,
    /// Sleeps when idle, wakes on demand.
    Auto,
    /// Stopped; messages are refused.
    Off,
}

/// A person's `sleep` command: how deep. It ends with the next wake and does not change [`Desired`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rest {
    /// Frozen: milliseconds to wake, memory still there.
    Frozen,
    /// Stopped: a boot to wake, no memory used.
    Stopped,
}

/// Where a smartbox is: `stopped → starting → running ⇄ frozen → stopped`, or `failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(as = SmartboxState)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// No sandbox.
    Stopped,
    /// A sandbox is on its way; the engine does not answer yet.
    Starting,
    /// The engine answers.
    Running,
    /// The engine's processes are frozen.
    Frozen,
    /// It did not start, or not stay; [`Failure`] says why.
    Failed,
}

/// Why a smartbox is in state `failed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SmartboxFailure)]
pub struct Failure {
    /// The class, for programs.
    pub reason: Reason,
    /// One sentence for a person.
    pub message: String,
    /// What the person can do.
    pub hint: String,
    /// When it happened.
    pub at: Timestamp,
}

/// The classes of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FailureReason)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The engine refused its configuration, and the last known good one too.
    BadConfig,
    /// The engine ran out of its tier's memory.
    OutOfMemory,
    /// The disk is full.
    Disk,
    /// The box's share of the disk is full.
    Quota,
    /// The engine ended by itself, again and again.
    Crash,
    /// The engine did not answer in time.
    Timeout,
    /// The home was written by a newer engine than the one installed.
    EngineTooOld,
    /// No sandbox can be made on this machine.
    Runtime,
    /// The machine's memory is taken by others.
    NoRoom,
    /// Its home is gone and its newest snapshot could not be restored.
    RestoreFailed,
}

crate::words! {
    Desired { On = "on", Auto = "auto", Off = "off" }
    Rest { Frozen = "frozen", Stopped = "stopped" }
    State { Stopped = "stopped", Starting = "starting", Running = "running", Frozen = "frozen", Failed = "failed" }
    Reason {
        BadConfig = "bad-config", OutOfMemory = "out-of-memory", Disk = "disk", Quota = "quota",
        Crash = "crash",
        Timeout = "timeout", EngineTooOld = "engine-too-old", Runtime = "runtime",
        NoRoom = "no-room", RestoreFailed = "restore-failed",
    }
}

impl Smartbox {
    /// A new one of no special kind, turned off.
    pub fn new(id: SmartboxId, account: AccountId, name: String, now: Timestamp) -> Self {
        Self {
            id,
            account,
            label: name.clone(),
            name,
            display: String::new(),
            labels: Labels::default(),
            kind: Kind::CUSTOM,
            base: Base::Custom,
            tier: String::new(),
            running_tier: None,
            engine: String::new(),
            desired: Desired::Off,
            sleep: SleepChoice::default(),
            rest: None,
            state: State::Stopped,
            failure: None,
            epoch: 0,
            restart: 0,
            restarted: 0,
            slot: 0,
            alarm: None,
            suspension: None,
            last_active: now,
            failures: 0,
            retry_at: None,
            vitals: Vitals { since: Some(now), ..Vitals::default() },
            removing: false,
            furnished: false,
            revision: 1,
            created: now,
        }
    }

    /// Something needs the box: it is active now, and a person's wish for it to rest is over.
    pub fn touch(&mut self, now: Timestamp) {
        self.last_active = self.last_active.max(now);
        self.rest = None;
    }

    /// Whether `other` differs in what an owner decides, so that it is another revision.
    pub fn decided_otherwise(&self, other: &Self) -> bool {
        let decided = |row: &Self| {
            (row.display.clone(), row.labels.clone(), row.tier.clone(), row.desired, row.sleep)
        };
        decided(self) != decided(other)
    }

    /// When it sleeps: its owner's choice over the platform's.
    pub fn sleep_policy(&self, platform: SleepPolicy) -> SleepPolicy {
        let freeze_after = self.sleep.freeze_after.unwrap_or(platform.freeze_after);
        let stop_after = self.sleep.stop_after.unwrap_or(platform.stop_after);
        SleepPolicy { freeze_after, stop_after: stop_after.max(freeze_after) }
    }

    /// Whether people would say that it sleeps: at rest, and would wake on demand.
    pub fn asleep(&self) -> bool {
        self.desired != Desired::Off && matches!(self.state, State::Frozen | State::Stopped)
    }
}
