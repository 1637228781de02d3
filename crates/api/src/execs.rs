//! Commands that are jobs: `POST …/execs` takes one in, and what it wrote is kept for a day.

use serde::{Deserialize, Serialize};
use smartbox_core::exec::{Asked, Outcome};
pub use smartbox_core::exec::{Ended, Output};
use smartbox_core::id::{JobId, SmartboxId};
use smartbox_core::job::{INTERRUPTED, Job, JobState};
use smartbox_core::time::Timestamp;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// The longest standard input, in bytes.
pub const MAX_STDIN: usize = 1 << 20;
/// The longest that anyone may wait for an end, in milliseconds.
pub const MAX_WAIT_MS: u64 = 60_000;

/// A command to run once, whether or not somebody waits for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExec {
    /// Program and arguments. Never a shell line.
    pub argv: Vec<String>,
    /// Added to a minimal environment. The values are not written down.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Working directory; the home if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Standard input, at most 1 MiB. It is not written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// Milliseconds after which it is killed: a minute if absent, a day at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How long the answer may wait for the end, in milliseconds: not at all if absent, a minute at
    /// the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Variables and input may be secret.
impl std::fmt::Debug for NewExec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewExec").field("argv", &self.argv).finish_non_exhaustive()
    }
}

/// How long an answer may wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct WaitQuery {
    /// How long the answer may wait for the end, in milliseconds; a minute at the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Where a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExecState {
    /// Waits for its turn.
    Waiting,
    /// Runs, or its box is being woken for it.
    Running,
    /// Ran; `exit` says how it ended.
    Ended,
    /// Could not be run.
    Failed,
    /// The platform ended in the middle of it. It is not begun again.
    Interrupted,
    /// Stopped on request.
    Cancelled,
}

impl ExecState {
    /// Whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }

    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Ended => "ended",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A command that is a job, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExecView {
    /// Its identifier: that of its job.
    pub id: JobId,
    /// In which box.
    pub smartbox: SmartboxId,
    /// Where it is.
    pub state: ExecState,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Working directory; the home if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// The names of its variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Milliseconds until it is killed.
    pub timeout_ms: u64,
    /// When it was taken in.
    pub created: Timestamp,
    /// When it was its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// When it is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// How it ended, if it ran to an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Ended>,
    /// The beginning of its standard output; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<Output>,
    /// The beginning of its standard error; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<Output>,
    /// Why it did not run to an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<ExecFailure>,
}

/// Why a command did not run to an end, as a problem says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExecFailure {
    /// The stable word for programs.
    pub code: String,
    /// One sentence for a person.
    pub detail: String,
    /// What the person can do; may be empty.
    pub hint: String,
}

impl ExecView {
    /// What a job is as a command; `None` if it is none.
    pub fn of(job: Job) -> Option<Self> {
        let asked: Asked = serde_json::from_value(job.input).ok()?;
        let outcome = job.result.and_then(|it| serde_json::from_value::<Outcome>(it).ok());
        let interrupted = job.failure.as_ref().is_some_and(|why| why.code == INTERRUPTED);
        let state = match job.state {
            JobState::Queued | JobState::Paused => ExecState::Waiting,
            JobState::Running => ExecState::Running,
            JobState::Succeeded => ExecState::Ended,
            JobState::Failed if interrupted => ExecState::Interrupted,
            JobState::Failed => ExecState::Failed,
            JobState::Cancelled => ExecState::Cancelled,
        };
        let failure = job.failure.map(|why| ExecFailure {
            code: why.code,
            detail: why.detail,
            hint: why.hint,
        });
        let (exit, stdout, stderr) = match outcome {
            Some(it) => (Some(it.exit), Some(it.stdout), Some(it.stderr)),
            None => (None, None, None),
        };
        Some(Self {
            id: job.id,
            smartbox: job.smartbox?,
            state,
            argv: asked.argv,
            cwd: asked.cwd,
            env: asked.env,
            timeout_ms: asked.timeout_ms,
            created: job.created,
            started: job.started,
            finished: job.finished,
            expires: job.expires,
            exit,
            stdout,
            stderr,
            failure,
        })
    }

    /// The same without its output.
    #[must_use]
    pub fn brief(self) -> Self {
        Self { stdout: None, stderr: None, ..self }
    }
}
