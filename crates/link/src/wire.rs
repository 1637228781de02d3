//! Paths, headers and JSON bodies of the link.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Every request carries the caller's fencing token. Init remembers the highest and answers a lower
/// one with 409.
pub const FENCE_HEADER: &str = "x-smartbox-fence";
/// The largest JSON or file answer that a caller takes, in bytes.
pub const MAX_ANSWER: usize = 32 << 20;

/// `GET`: [`Status`].
pub const STATUS: &str = "/v1/status";
/// `PUT` [`EngineOrder`] starts the engine (the same order twice is one start; another order
/// replaces it), `DELETE ?grace_ms=` ends it: SIGTERM, wait, kill. Both answer with [`Status`].
pub const ENGINE: &str = "/v1/engine";
/// `POST`: the body is frames, the first is [`crate::frame::Frame::Order`]; the answer is frames, the last is
/// [`crate::frame::Frame::Exit`]. Ending the request stream early cancels and kills.
/// `DELETE ?id=` with the number of [`EXEC_HEADER`] cancels, too: the end of a stream that is held
/// back by a command which does not read never arrives.
pub const EXECS: &str = "/v1/execs";
/// The number of an exec, in the answer to its `POST`.
pub const EXEC_HEADER: &str = "x-smartbox-exec";
/// `GET ?path=` reads a file (404 if absent), `PUT ?path=&mode=` writes one whole (a temporary file
/// renamed over it, parent directories made). Paths are relative to the home and stay beneath it.
pub const FILES: &str = "/v1/files";

/// What init says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The smartbox's id.
    pub id: String,
    /// The fencing token that the sandbox was made with.
    pub fence: u64,
    /// The engine's process.
    pub engine: EngineStatus,
    /// Executions that run now.
    pub execs: u32,
    /// Seconds since init began.
    pub uptime_secs: u64,
    /// What confines the processes: `landlock`, … by name; for people.
    pub confined: Vec<String>,
}

/// The engine's process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineStatus {
    /// Where it is.
    pub state: EngineState,
    /// Its process id inside the sandbox.
    pub pid: Option<u32>,
    /// Times that it was started for the present order.
    pub starts: u32,
    /// How it ended last.
    pub last_exit: Option<Exit>,
}

/// Where the engine's process is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineState {
    /// No order yet.
    #[default]
    Idle,
    /// It runs.
    Running,
    /// It ended and will be started again.
    Backoff,
    /// It ended and stays so: stopped on request, or its exit code is one of `final_codes`.
    Ended,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Its exit code.
    pub code: Option<i32>,
    /// Or the signal that killed it.
    pub signal: Option<i32>,
    /// Whether the memory limit was hit since it started.
    #[serde(default)]
    pub oom: bool,
    /// Whether its deadline killed it.
    #[serde(default)]
    pub timed_out: bool,
}

/// How to start the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineOrder {
    /// Program and arguments. Never a shell line.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// Working directory.
    pub cwd: String,
    /// Exit codes after which it is not started again.
    pub final_codes: Vec<i32>,
}

/// A command to run beside the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecOrder {
    /// Program and arguments. Never a shell line.
    pub argv: Vec<String>,
    /// Added to a minimal environment (PATH, HOME, LANG, TERM).
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Working directory; the home if absent.
    #[serde(default)]
    pub cwd: Option<String>,
    /// Milliseconds after which the command's whole cgroup is killed.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// Give it a terminal of this size.
    #[serde(default)]
    pub tty: Option<TtySize>,
}

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TtySize {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// The body of every answer that is not 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// One sentence.
    pub message: String,
}
