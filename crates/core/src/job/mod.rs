//! A job: anything that outlives a request. Its row says where it is and what it needs to go on,
//! so that the next process can take it up where this one died.

pub mod event;
pub mod item;
pub mod port;
mod turn;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::id::{AccountId, JobId, SmartboxId};
use crate::time::Timestamp;

pub use event::{Event, Happening};
pub use item::{Item, Outcome};
pub use turn::{End, Refusal};

/// The most that a job's input may be as JSON, in bytes.
pub const MAX_INPUT: usize = 256 << 10;
/// The most that a checkpoint may be as JSON, in bytes.
pub const MAX_CHECKPOINT: usize = 64 << 10;
/// The most that a result may be as JSON, in bytes.
pub const MAX_RESULT: usize = 256 << 10;
/// A job that was cut off so often is given up: it may be what cuts the platform off.
pub const MAX_INTERRUPTIONS: u32 = 5;

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its identifier.
    pub id: JobId,
    /// Who owns it.
    pub account: AccountId,
    /// The box that it is about, if it is about one; the job goes when the box goes.
    pub smartbox: Option<SmartboxId>,
    /// What is done, as `noun.verb`: `box.restart`, `bulk.restart`, …
    pub kind: String,
    /// Who asked, for the audit.
    pub actor: String,
    /// The asker's own key for it: asked twice, it is one job.
    pub key: Option<String>,
    /// What was asked, at most [`MAX_INPUT`].
    pub input: Value,
    /// Where it is.
    pub state: JobState,
    /// What was asked of it while it runs.
    pub asked: Option<Asked>,
    /// How far it is.
    pub progress: Progress,
    /// What its next run needs to go on, at most [`MAX_CHECKPOINT`]; null until there is something.
    pub checkpoint: Value,
    /// What came of it, at most [`MAX_RESULT`].
    pub result: Option<Value>,
    /// Why nothing came of it.
    pub failure: Option<JobFailure>,
    /// Times that a runner took it up; the fencing token of the one that runs it now.
    pub attempts: u32,
    /// Times that it was taken up since the process that ran it was gone.
    pub interruptions: u32,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it was taken up first.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// When it is forgotten; from its end on.
    pub expires: Option<Timestamp>,
}

/// Where a job is: `queued → running → succeeded | failed | cancelled`, and `paused` between runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// A runner has it.
    Running,
    /// Waits for a person.
    Paused,
    /// Done.
    Succeeded,
    /// Given up; the failure says why.
    Failed,
    /// Stopped on request.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Running, Self::Paused, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// The word in records and replies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl std::fmt::Display for JobState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was asked of a job that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Stop at the next good moment, to go on later.
    Pause,
    /// Stop for good.
    Cancel,
}

impl Asked {
    /// The word in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Cancel => "cancel",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pause, Self::Cancel].into_iter().find(|asked| asked.as_str() == text)
    }
}

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// So much is done.
    pub done: u64,
    /// Of so much, where that is known.
    pub total: Option<u64>,
    /// What is counted: `boxes`, `bytes`; empty where nothing is.
    pub unit: String,
    /// What is being done, in one short phrase.
    pub note: String,
}

/// Why a job failed, as a problem says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobFailure {
    /// The stable word for programs.
    pub code: String,
    /// One sentence for a person.
    pub detail: String,
    /// What the person can do; may be empty.
    pub hint: String,
}

/// The code of a job that was cut off and cannot go on.
pub const INTERRUPTED: &str = "interrupted";

#[cfg(test)]
mod tests;
