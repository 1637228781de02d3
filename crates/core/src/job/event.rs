//! What happened to a job, one event after another, and how much of that is kept.

use serde::{Deserialize, Serialize};

use super::{JobState, Progress};
use crate::time::Timestamp;

/// So many events of a job are kept.
pub const MAX_EVENTS: u64 = 1000;
/// So many bytes of a job's events are kept.
pub const MAX_BYTES: u64 = 256 << 10;
/// Changes of state and progress are kept when log lines no longer are, up to this many in all.
const MAX_CHANGES: u64 = MAX_EVENTS + 200;
/// The longest line of a log, in bytes.
pub const MAX_LINE: usize = 4 << 10;

/// One thing that happened to a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Rises with every event of the job; there may be gaps.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: Happening,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Happening {
    /// The job is in another state.
    State {
        /// Which.
        state: JobState,
    },
    /// The job is further; takes the place of progress that came just before it.
    Progress(Progress),
    /// The job says something.
    Log {
        /// One line for a person.
        text: String,
    },
    /// The log is full: what the job says from here on is not kept.
    Truncated,
}

impl Happening {
    /// A line of a log, cut to [`MAX_LINE`].
    pub fn line(text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.len() > MAX_LINE {
            text.truncate(text.floor_char_boundary(MAX_LINE));
            text.push('…');
        }
        Self::Log { text }
    }

    /// The word in records and replies.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::State { .. } => "state",
            Self::Progress(_) => "progress",
            Self::Log { .. } => "log",
            Self::Truncated => "truncated",
        }
    }
}

/// How much is kept of a job's events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of the last event.
    pub last: u64,
    /// How many are kept.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether the marker stands.
    pub truncated: bool,
}

/// What is done with a new event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admit {
    /// It is kept under this number.
    Keep(u64),
    /// [`Happening::Truncated`] is kept under this number in its stead.
    Mark(u64),
    /// It is not kept.
    Drop,
}

impl Tally {
    /// Decides about an event of so many bytes. The last change of state is always kept.
    pub fn admit(&mut self, what: &Happening, bytes: usize) -> Admit {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let fits = self.count < MAX_EVENTS && self.bytes.saturating_add(bytes) <= MAX_BYTES;
        let may = match what {
            Happening::State { state } => state.is_final() || self.count < MAX_CHANGES,
            Happening::Progress(_) => self.count < MAX_CHANGES,
            Happening::Log { .. } | Happening::Truncated => fits && !self.truncated,
        };
        if !may && self.truncated {
            return Admit::Drop;
        }
        self.last += 1;
        self.count += 1;
        if may {
            self.bytes = self.bytes.saturating_add(bytes);
            return Admit::Keep(self.last);
        }
        self.truncated = true;
        Admit::Mark(self.last)
    }

    /// An event of so many bytes was taken out.
    pub fn removed(&mut self, bytes: usize) {
        self.count = self.count.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}
