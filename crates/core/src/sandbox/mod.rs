//! A sandbox: the isolate that an engine runs in now, replaceable at any moment.

pub mod port;
mod program;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::SmartboxId;

pub use program::Program;

/// What a driver needs to know to make a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxSpec {
    /// For which box.
    pub id: SmartboxId,
    /// The fencing token: a sandbox of a lower one is replaced, a higher one refuses us.
    pub fence: u64,
    /// Chooses the host uid.
    pub slot: u32,
    /// The limits of its tier.
    pub limits: Limits,
    /// The engine's directory on the host, mounted read-only at [`ENGINE_DIR`].
    pub engine_dir: PathBuf,
    /// Loopback ports on which something inside calls out; the platform accepts them by
    /// [`port::Runtime::incoming`].
    pub listeners: Vec<u16>,
}

/// Where every box finds its home.
pub const HOME_DIR: &str = "/home/box";
/// Where every box finds its engine.
pub const ENGINE_DIR: &str = "/opt/engine";
/// What browsers in a box are told, relative to its home; their directories of policies lead there.
pub const BROWSER_POLICY: &str = ".smartbox/browser.json";
/// Where every box finds the HTTP proxy that leads out, on its loopback.
pub const PROXY_PORT: u16 = 3128;
/// Where every box finds its name service, on its loopback. As a listener it takes datagrams, too: they
/// come as connections, framed as on TCP. A driver that makes no network of a box's own has none.
pub const DNS_PORT: u16 = 53;
/// The uid and gid that a box has inside.
pub const INNER_UID: u32 = 1000;

/// What a box may use at the most. Zero means without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Thousandths of a processor.
    pub cpu_millis: u32,
    /// Bytes of memory for the engine and everything it starts.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub pids: u32,
    /// Bytes in the home.
    pub disk_bytes: u64,
}

/// What is seen of a sandbox: evidence, not state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// For which box.
    pub id: SmartboxId,
    /// Whether it is there.
    pub phase: Phase,
    /// The fencing token that it was made with; 0 when absent.
    pub fence: u64,
    /// What init says of the engine, if it could be asked.
    pub engine: EngineProcess,
    /// Resident and swapped bytes of the engine's processes, where the driver can tell.
    pub memory: Memory,
}

/// Whether a sandbox is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SandboxPhase)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// There is none.
    Absent,
    /// It is there and its processes may run.
    Up,
    /// It is there and the engine's processes are frozen.
    Frozen,
}

/// Bytes of memory that the engine's processes hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SandboxMemory)]
pub struct Memory {
    /// In RAM.
    pub resident: u64,
    /// In swap, before compression.
    pub swapped: u64,
}

/// The engine's process as init reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum EngineProcess {
    /// Init did not answer, or there is none.
    #[default]
    Unknown,
    /// Init has not been told to start one.
    Idle,
    /// It runs.
    Running {
        /// How often init has started it for this order.
        starts: u32,
        /// How the one before it ended, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<Exit>,
    },
    /// It ended and init will start it again.
    Backoff {
        /// How often init has started it for this order.
        starts: u32,
        /// How it ended.
        last: Exit,
    },
    /// It ended and will not be started again by itself.
    Ended {
        /// How it ended.
        last: Exit,
    },
}

/// How a process ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = EngineExit)]
pub struct Exit {
    /// Its exit code, if it had one.
    pub code: Option<i32>,
    /// The signal that killed it, if one.
    pub signal: Option<i32>,
    /// Whether its cgroup ran out of memory meanwhile.
    pub oom: bool,
}

/// What to do with a sandbox that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// Freeze the engine's processes; page them out too if asked and possible.
    Freeze {
        /// Push their memory to swap.
        page_out: bool,
    },
    /// Let the engine's processes run.
    Thaw,
    /// End everything in it and take it down. The home stays.
    Remove,
}

/// What a driver can do on this machine: detected and reported, never assumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RuntimeCapabilities)]
pub struct Capabilities {
    /// The driver's name.
    pub driver: String,
    /// `full`, `reduced` or `none` (`--insecure-no-sandbox`).
    pub profile: String,
    /// Each feature by name: whether it is in force and, if not, why not.
    pub features: BTreeMap<String, Feature>,
}

impl Capabilities {
    /// The profile of `--insecure-no-sandbox`.
    pub const UNISOLATED: &str = "none";
}

/// Whether one feature is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RuntimeFeature)]
pub struct Feature {
    /// In force.
    pub on: bool,
    /// How, or why not; one phrase for a person.
    pub note: String,
}

/// A part of a sandbox's engine log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// Where it begins: later than was asked if what was there is gone.
    pub from: u64,
    /// The bytes, as the engine wrote them.
    pub bytes: Vec<u8>,
    /// Where the next page begins.
    pub next: u64,
}
