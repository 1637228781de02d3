//! What happens in the rooms, told to whoever counts it. Nothing here names a person, a message or a secret.

use std::time::Duration;

use crate::egress::port::Happening;
use crate::smartbox::Reason;
use crate::usage::Usage;

/// The target of spans that may leave the machine as traces, and of nothing else.
pub const TRACE: &str = "smartbox::trace";

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A box was woken, and the engine answers.
    Woke {
        /// From which sleep.
        from: Sleep,
        /// From the wish to the answer.
        took: Duration,
    },
    /// A start or a thaw failed.
    FailedStart(Reason),
    /// A turn ended.
    Turn {
        /// With an answer.
        answered: bool,
        /// From the message's acceptance to its end.
        took: Duration,
    },
    /// A model call ended.
    Model(&'a Usage),
    /// A command in a box ended.
    Exec {
        /// From its order to its end.
        took: Duration,
    },
    /// A request to the platform's own API or pages was answered.
    Request {
        /// The route's template, or empty if there is none.
        route: &'a str,
        /// The method.
        method: &'a str,
        /// The HTTP status.
        status: u16,
        /// Until the head of the answer.
        took: Duration,
    },
    /// A request on a box's own host was answered, by the edge or by the box.
    Visit {
        /// The HTTP status.
        status: u16,
        /// Until the head of the answer, a wake included.
        took: Duration,
    },
    /// Something left a box, came back, or was refused.
    Egress(&'a Happening),
    /// A snapshot was to be taken.
    Snapshot {
        /// What came of it.
        end: SnapshotEnd,
        /// From the first look at the home to the records.
        took: Duration,
        /// For how long the box was held still.
        held: Duration,
        /// Bytes that storage grew by.
        added: u64,
    },
    /// A unit of work was written.
    Write {
        /// It is on disk.
        done: bool,
        /// From the asking to the disk.
        took: Duration,
    },
}

/// What came of taking a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SnapshotEnd {
    /// It is a generation.
    Taken,
    /// The box went on to another owner meanwhile: it is an orphan.
    Orphan,
    /// It was not taken.
    Failed,
}

/// From which sleep a box was woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sleep {
    /// There was no sandbox.
    Cold,
    /// Its processes were frozen.
    Frozen,
}

/// Counts what happens. It must not block.
pub trait Telemetry: Send + Sync {
    /// Takes note of an event.
    fn note(&self, event: Event<'_>);
}

/// Counts nothing.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;

impl Telemetry for Quiet {
    fn note(&self, _: Event<'_>) {}
}
