//! What the records have of a box's snapshots. It outlives the box's row: a removed box keeps its
//! archive beneath a tombstone for a while.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Generation, Keep, Lineage, Named, RepositoryKey, SnapshotId};
use crate::BoxFuture;
use crate::id::{AccountId, SmartboxId};
use crate::secret::Secret;
use crate::smartbox::Smartbox;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Why a snapshot was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = SnapshotReason)]
pub enum Why {
    /// The home had changed.
    Change,
    /// The box went to sleep.
    Sleep,
    /// It was about to be started anew.
    Restart,
    /// Another engine was about to run on it.
    Upgrade,
    /// Another state was about to take its place: this is how that is undone.
    Restore,
    /// The box was about to be removed.
    Removal,
    /// A person asked.
    Asked,
    /// It is the first of a home that came from elsewhere.
    Import,
}

crate::words! {
    Why {
        Change = "change", Sleep = "sleep", Restart = "restart", Upgrade = "upgrade",
        Restore = "restore", Removal = "removal", Asked = "asked", Import = "import",
    }
}

/// A generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its number.
    pub generation: Generation,
    /// The snapshot that it is.
    pub snapshot: SnapshotId,
    /// When it was taken.
    pub taken: Timestamp,
    /// Why.
    pub why: Why,
    /// How many files it has.
    pub files: u64,
    /// How many bytes they hold.
    pub bytes: u64,
    /// Bytes that storage grew by.
    pub added: u64,
    /// When it was last read back and found whole.
    pub verified: Option<Timestamp>,
}

/// What came of a restore drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SnapshotDrill)]
pub struct Drill {
    /// When it began.
    pub at: Timestamp,
    /// Which generation was restored.
    pub generation: Generation,
    /// Whether the engine came up on it and answered.
    pub passed: bool,
    /// Milliseconds from the first byte to the answer.
    pub took_ms: u64,
    /// What was seen, in one sentence.
    pub note: String,
}

/// Why there is no newer generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Since when.
    pub since: Timestamp,
    /// In one sentence.
    pub message: String,
}

/// What the records have of a box's repository, besides its generations and its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Whose.
    pub smartbox: SmartboxId,
    /// What is added to the box's epoch to make its fence. An installation that took the box over from
    /// another has a higher one than that had.
    pub base: u64,
    /// The generation that the home at hand was restored from or has become.
    pub home: Option<Generation>,
    /// When the home was last known to be no other than the newest generation.
    pub fresh: Option<Timestamp>,
    /// Changes older than this are in a generation; the platform's where there is none.
    pub objective: Option<Duration>,
    /// What is kept; the platform's where there is none.
    pub keep: Option<Keep>,
    /// Why there is no newer generation.
    pub trouble: Option<Trouble>,
    /// When what is no longer kept was last removed.
    pub pruned: Option<Timestamp>,
    /// The last restore drill.
    pub drill: Option<Drill>,
    /// The last restore drill that passed.
    pub proven: Option<Drill>,
    /// What becomes of it once its box is removed.
    #[serde(default)]
    pub leaving: Leaving,
    /// Where the home comes from that the box is yet to begin with.
    #[serde(default)]
    pub origin: Option<Origin>,
}

/// A snapshot of another box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Of which one.
    pub smartbox: SmartboxId,
    /// Which one of it.
    pub snapshot: SnapshotId,
}

/// What becomes of a box's snapshots once it is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leaving {
    /// A last one is taken; without it the box is not removed.
    #[default]
    Bury,
    /// A last one is taken if that can be done.
    Force,
    /// They go with the box.
    Purge,
}

impl Archive {
    /// That of a box that has no snapshot.
    pub fn new(smartbox: SmartboxId) -> Self {
        Self {
            smartbox,
            base: 0,
            home: None,
            fresh: None,
            objective: None,
            keep: None,
            trouble: None,
            pruned: None,
            drill: None,
            proven: None,
            leaving: Leaving::Bury,
            origin: None,
        }
    }

    /// What the rules see, of a box in this epoch.
    pub fn lineage(&self, epoch: u64, generations: &[Record]) -> Lineage {
        let named = generations
            .iter()
            .map(|one| Named { generation: one.generation, snapshot: one.snapshot.clone() });
        Lineage { fence: self.base.saturating_add(epoch), named: named.collect(), home: self.home }
    }
}

/// A removed box whose snapshots are still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The row as it was.
    pub row: Smartbox,
    /// When it was removed.
    pub removed: Timestamp,
    /// When its snapshots go.
    pub until: Timestamp,
}

/// Archives within one unit of work.
pub trait Archives: Tombs + Envelopes {
    /// A box's, or a removed one's.
    fn get(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Option<Archive>, StoreError>>;
    /// Adds or replaces one.
    fn put(&mut self, archive: Archive) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The key of a box's repository; nothing if it has none yet.
    fn key(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Option<RepositoryKey>, StoreError>>;
    /// Keeps the key, sealed. The archive must be there, and have none.
    fn set_key(
        &mut self,
        id: SmartboxId,
        key: RepositoryKey,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The generations of a box, oldest first.
    fn generations(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Vec<Record>, StoreError>>;
    /// Adds a generation, or replaces the one of that number.
    fn put_generation(
        &mut self,
        id: SmartboxId,
        record: Record,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Removes generations.
    fn drop_generations(
        &mut self,
        id: SmartboxId,
        gone: Vec<Generation>,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Removes an archive with its generations, its key and its tombstone.
    fn forget(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// Tombstones within one unit of work.
pub trait Tombs: Send {
    /// Puts a tombstone over a box's archive, in place of one that is there. The archive must be there.
    fn bury(&mut self, tombstone: Tombstone) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The tombstones of an account, or all; the latest first.
    fn tombstones(
        &mut self,
        account: Option<AccountId>,
    ) -> BoxFuture<'_, Result<Vec<Tombstone>, StoreError>>;
    /// Takes a tombstone away: the box is there again.
    fn unearth(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// What lies beside repositories, sealed under the installation's master key, so that another
/// installation with that key opens it. Nothing is read or written.
pub trait Envelopes: Send {
    /// Seals what a new installation needs to take a box over.
    fn seal_record(
        &mut self,
        id: SmartboxId,
        plain: Secret<String>,
    ) -> BoxFuture<'_, Result<Bytes, StoreError>>;
    /// Opens what was sealed for this box; [`StoreError::Sealed`] under another master key.
    fn open_record(
        &mut self,
        id: SmartboxId,
        sealed: Bytes,
    ) -> BoxFuture<'_, Result<Secret<String>, StoreError>>;
}
