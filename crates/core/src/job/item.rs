//! One of the many things that a bulk job does, with a row of its own: so progress over n boxes is
//! n small writes, and the next process knows exactly which are done.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::time::Timestamp;

/// The most items that a job may have.
pub const MAX_ITEMS: usize = 10_000;

/// One of the things that a job does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its place in the job: 0, 1, 2, …
    pub n: u32,
    /// What it is about: the identifier of a box.
    pub subject: String,
    /// The same for a person: the box's name.
    pub name: String,
    /// Where it is.
    pub outcome: Outcome,
    /// Why it failed or was skipped, or what is to be known of what was done; may be empty.
    pub reason: String,
    /// What a second try needs to do it only once; null until there is something.
    pub checkpoint: Value,
    /// When its outcome was written last.
    pub at: Timestamp,
}

/// Where an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Not begun.
    Waiting,
    /// Begun; after a crash it is begun again, from its checkpoint.
    Running,
    /// Done.
    Ok,
    /// Not done; the reason says why.
    Failed,
    /// Not to be done; the reason says why.
    Skipped,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::Running, Self::Ok, Self::Failed, Self::Skipped];

    /// The word in records and replies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// Whether nothing more will happen to it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Ok | Self::Failed | Self::Skipped)
    }
}
