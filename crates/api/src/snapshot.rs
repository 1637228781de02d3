//! Snapshots on the wire: what there is of a box, what is done with it, and what is kept of removed boxes.
//!
//! A generation in a path is its number, or `newest`. Paths in a snapshot are relative to the home, as
//! with files.

use serde::{Deserialize, Serialize};
use smartbox_core::id::SmartboxId;
pub use smartbox_core::snapshot::port::Change;
pub use smartbox_core::snapshot::record::{Drill, Why};
pub use smartbox_core::snapshot::{Generation, Keep};
use smartbox_core::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

/// The newest generation, in place of a number.
pub const NEWEST: &str = "newest";

/// A snapshot as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotView {
    /// What the storage calls it, as the restic program shows it: 64 hexadecimal digits.
    pub id: String,
    /// Its number: the order in which they were taken, whatever the clock said.
    pub generation: Generation,
    /// When it was taken.
    pub time: Timestamp,
    /// Why.
    pub why: Why,
    /// How many files it has.
    pub files: u64,
    /// How many bytes they hold.
    pub bytes: u64,
    /// Bytes that storage grew by.
    pub added: u64,
    /// When it was last read back and found whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Timestamp>,
}

/// How a box's snapshots are doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArchiveView {
    /// The newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<SnapshotView>,
    /// How many there are.
    pub count: u64,
    /// Whether the home is known to be no other than the newest one, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh: Option<Timestamp>,
    /// The recovery point objective in milliseconds: changes older than this are in a snapshot.
    pub objective_ms: u64,
    /// Whether that is missed.
    pub late: bool,
    /// Why there is no newer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// What is kept.
    pub keep: Keep,
    /// The box's owner decided on objective or keep; else they are the platform's.
    pub own: bool,
    /// Where snapshots are.
    pub storage: String,
    /// The last restore drill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Drill>,
    /// The last proven restore: the last drill that passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<Drill>,
}

/// What is decided about a box's snapshots. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ArchiveChange {
    /// The recovery point objective: a time like `30s`, from a second to a day, or `default`.
    #[schema(example = "30s")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<String>,
    /// What is kept, like `last=24,daily=30,monthly=12`, or `default`.
    #[schema(example = "last=24,daily=30,monthly=12")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<String>,
}

/// What to restore.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Restore {
    /// Files and folders, by their paths in the home; the whole home if there are none. They replace what
    /// is there, the box need not stop, and nothing else is touched.
    #[schema(max_items = 100)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// A box to be made of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    /// The new box's name.
    #[schema(example = "pa-yesterday")]
    pub name: String,
}

/// What to read back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Verify {
    /// One generation; all of them if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
}

/// A password for programs that know nothing of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Password {
    /// The password, of 12 characters at least. Whoever has it and the storage can read everything.
    #[schema(write_only, min_length = 12, max_length = 1024)]
    pub password: String,
}

/// What to compare a snapshot with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct DiffQuery {
    /// Another generation; the home as it is if absent: what a restore would undo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// How many changes at most; 1000 if absent.
    #[param(minimum = 1, maximum = 10000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// How something differs from what the snapshot has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangeView {
    /// Its path. Where it is not UTF-8, what is readable of it.
    pub path: String,
    /// How it differs.
    pub change: Change,
}

/// What is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiffView {
    /// The changes, by path, as many as were asked for.
    pub changes: Vec<ChangeView>,
    /// How many there are in all.
    pub total: u64,
}

/// A removed box whose snapshots are still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TombstoneView {
    /// The box's identifier.
    pub id: SmartboxId,
    /// The name that it had.
    pub name: String,
    /// When it was removed.
    pub removed: Timestamp,
    /// When its snapshots go.
    pub until: Timestamp,
    /// How many snapshots there are.
    pub snapshots: u64,
}

/// How to make a removed box again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Undelete {
    /// Another name than it had, for instance because that is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A box in the storage that this installation does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LostView {
    /// Its identifier.
    pub id: SmartboxId,
    /// The name that it had.
    pub name: String,
    /// The name of the account that it was of.
    pub account: String,
    /// Its newest generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Generation>,
    /// When that was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Why it cannot be taken over; empty if it can.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trouble: String,
}

/// Which of them to take over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Recover {
    /// By their identifiers.
    #[schema(max_items = 1000)]
    pub boxes: Vec<SmartboxId>,
    /// All of them.
    pub all: bool,
}
