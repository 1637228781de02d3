//! What a driver must do with repositories of snapshots. It decides nothing: what may be claimed,
//! named, restored or removed is decided by the rules beside this file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Claim, Generation, RepositoryOf, Shelf, Snapshot, SnapshotId};
use crate::home::place::HomePlace;
use crate::home::{FileEntry, FilePath};
use crate::id::SmartboxId;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::{BoxFuture, BoxStream};

/// Why something is not done with a repository. Each variant is a different thing to do.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is no such repository, or no such snapshot in it. Never a reason to begin anew.
    #[error("there is no such {what}")]
    Missing {
        /// What is not there.
        what: &'static str,
    },
    /// The repository, or the claim, is there already: open it, or claim another.
    #[error("the {what} is there already")]
    Exists {
        /// What is there.
        what: &'static str,
    },
    /// The storage has no room: make some. What was acknowledged is as it was.
    #[error("the storage of snapshots is full")]
    Full,
    /// The storage does not answer, or fails: try again later.
    #[error("the storage of snapshots cannot be reached")]
    Away(#[source] Cause),
    /// The storage does not let us: see to its permissions or credentials.
    #[error("the storage of snapshots refuses")]
    Refused(#[source] Cause),
    /// What is stored is not what was written, or the key is another one: take another snapshot, or look
    /// for the key.
    #[error("{what} is damaged, or its key is another one")]
    Corrupt {
        /// What was read.
        what: &'static str,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// Part of the home could not be read, or changed while it was: no snapshot was made. Take it again.
    #[error("`{path}` in the home could not be read whole")]
    Hole {
        /// Where, for a person.
        path: String,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// What was to be restored into is not an empty directory: give another.
    #[error("what it should be restored into is not an empty directory")]
    Occupied,
    /// The machine failed; trying again may help.
    #[error("{doing} failed")]
    Broken {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Cause,
    },
}

/// What is behind an error.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Holds still what writes to a home, for a moment.
pub trait Still: Send + Sync {
    /// Returns once nothing in the box runs. A failure means that the home is not still.
    fn hold(&self) -> BoxFuture<'_, Result<(), Cause>>;
    /// Lets it go on. It is called after every `hold`, whatever came of that.
    fn release(&self) -> BoxFuture<'_, Result<(), Cause>>;
}

/// What makes a copy one of a single moment.
#[derive(Clone)]
pub enum Moment {
    /// Nothing runs, and nothing will before the snapshot is taken.
    AtRest,
    /// It is held still for as long as it takes to copy what changed since it was looked at.
    Held(Arc<dyn Still>),
    /// It cannot be held still: each database is copied as of one moment, by the database's own online
    /// backup, and files are copied as they are met.
    Live,
}

/// How to take a snapshot.
#[derive(Clone)]
pub struct TakeOrder {
    /// The home. Nothing in it is followed out of it.
    pub home: HomePlace,
    /// What makes it a copy of one moment.
    pub moment: Moment,
    /// What to leave out: globs over paths relative to the home; `*` stays within a name, `**` does not.
    pub exclude: Vec<String>,
    /// The claim under which it is taken; it is written into the snapshot.
    pub claim: Claim,
    /// The time now.
    pub at: Timestamp,
    /// Is told how many bytes were read so far.
    pub meter: Option<Meter>,
}

/// Is told how far something is, in bytes. It must not block.
pub type Meter = Arc<dyn Fn(u64) + Send + Sync>;

/// A snapshot that was taken. It is acknowledged: whatever dies from now on, it can be restored. Every
/// object that it added was read back and found as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Pipes, sockets and devices, which are left out and never opened.
    pub left_out: u64,
    /// Bytes that storage grew by.
    pub added: u64,
    /// Databases that were brought to rest in a copy, with what stood in their logs.
    pub databases: u64,
    /// For how long the box was held still.
    pub held: Duration,
}

/// Something in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its path, relative to the home.
    pub path: FilePath,
    /// What it is. Its tag is empty.
    pub entry: FileEntry,
}

/// What to compare a snapshot with.
#[derive(Debug, Clone)]
pub enum Against {
    /// Another snapshot of the same box.
    Snapshot(SnapshotId),
    /// The home as it is, with what is left out of it.
    Home(HomePlace, Vec<String>),
}

/// How something differs from what a snapshot has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = SnapshotChange)]
pub enum Change {
    /// It is not in the snapshot.
    Added,
    /// It is in the snapshot and not there.
    Removed,
    /// Contents, kind or target are others.
    Changed,
    /// Only the permissions are others.
    Mode,
}

/// What is different, by path. Of a directory that is wholly added or removed everything in it is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// At most as many as were asked for, in the order of paths.
    pub changes: Vec<(FilePath, Change)>,
    /// How many there are in all.
    pub total: u64,
}

/// What pruning came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Snapshots that are gone.
    pub snapshots: u64,
    /// Bytes that storage shrank by.
    pub bytes: u64,
}

/// In which form to read something out of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The bytes of one file.
    File,
    /// A tar archive (POSIX pax) of a file, or of a directory with everything in it.
    Tar,
}

/// What was read back and found as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Snapshots of which every byte is there.
    pub snapshots: u64,
}

/// The repositories of this installation, one per box. Only one task at a time may take, remove or prune,
/// and only with a claim or a fence that the rules beside this file admit; reading is free.
pub trait Snapshots: Takes + Shelves {}
impl<T: Takes + Shelves> Snapshots for T {}

/// What changes a repository.
pub trait Takes: Send + Sync {
    /// Makes a box's repository. One that is there already is [`SnapshotError::Exists`].
    fn create(&self, of: RepositoryOf) -> BoxFuture<'_, Result<(), SnapshotError>>;
    /// Whether the home differs from what it was when this snapshot was taken on this machine. It asks the
    /// file system, not the storage; what cannot be told is a difference.
    fn changed(
        &self,
        home: HomePlace,
        exclude: Vec<String>,
        since: SnapshotId,
    ) -> BoxFuture<'_, Result<bool, SnapshotError>>;
    /// Takes a snapshot, whole or not at all.
    fn take(
        &self,
        of: RepositoryOf,
        order: TakeOrder,
    ) -> BoxFuture<'_, Result<Taken, SnapshotError>>;
    /// Claims a generation: of all who ask for the same one, one gets it, the others
    /// [`SnapshotError::Exists`].
    fn claim(&self, of: RepositoryOf, claim: Claim) -> BoxFuture<'_, Result<(), SnapshotError>>;
    /// Removes snapshots, then everything that no other one needs, and claims of numbers before `before`.
    /// What is missing already is fine.
    fn prune(
        &self,
        of: RepositoryOf,
        remove: Vec<SnapshotId>,
        before: Option<Generation>,
    ) -> BoxFuture<'_, Result<Pruned, SnapshotError>>;
    /// Removes a repository whole, claims and records included. One that is missing is fine.
    fn destroy(&self, smartbox: SmartboxId) -> BoxFuture<'_, Result<(), SnapshotError>>;
    /// Keeps something beside a box's repository, in place of what was kept there: what a new installation
    /// needs to take the box over, sealed.
    fn put_record(
        &self,
        smartbox: SmartboxId,
        sealed: Bytes,
    ) -> BoxFuture<'_, Result<(), SnapshotError>>;
    /// Adds a password by which a program that knows nothing of us opens the repository.
    fn add_password(
        &self,
        of: RepositoryOf,
        password: Secret<String>,
    ) -> BoxFuture<'_, Result<(), SnapshotError>>;
}

/// What reads repositories.
pub trait Shelves: Pages + Storage {
    /// Lists what there is.
    fn list(&self, of: RepositoryOf) -> BoxFuture<'_, Result<Shelf, SnapshotError>>;
    /// The claims to numbers after one, lowest first. Those before a named generation decide nothing.
    fn claims(
        &self,
        of: RepositoryOf,
        after: Option<Generation>,
    ) -> BoxFuture<'_, Result<Vec<Claim>, SnapshotError>>;
    /// Restores a snapshot into an empty directory and compares what came out with what it should be.
    /// Owners are not restored: whoever gives the directory to a sandbox gives it to its user.
    fn restore(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        into: PathBuf,
        meter: Option<Meter>,
    ) -> BoxFuture<'_, Result<(), SnapshotError>>;
    /// Reads back every byte of one snapshot, or of everything.
    fn verify(
        &self,
        of: RepositoryOf,
        id: Option<SnapshotId>,
    ) -> BoxFuture<'_, Result<Verified, SnapshotError>>;
}

/// What looks into snapshots.
pub trait Pages: Send + Sync {
    /// What a directory of a snapshot holds, by name; of a file, the file itself.
    fn look(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        path: FilePath,
    ) -> BoxFuture<'_, Result<Vec<Kept>, SnapshotError>>;
    /// The bytes of something in a snapshot.
    fn read(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        path: FilePath,
        form: Form,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Result<Bytes, SnapshotError>>, SnapshotError>>;
    /// How something differs from a snapshot: at most `limit` changes, and the count of all.
    fn diff(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        against: Against,
        limit: usize,
    ) -> BoxFuture<'_, Result<Difference, SnapshotError>>;
}

/// What is asked of the storage itself.
pub trait Storage: Send + Sync {
    /// Bytes that a box's repository takes in storage.
    fn size(&self, smartbox: SmartboxId) -> BoxFuture<'_, Result<u64, SnapshotError>>;
    /// Every box that has something in this storage.
    fn boxes(&self) -> BoxFuture<'_, Result<Vec<SmartboxId>, SnapshotError>>;
    /// What [`Takes::put_record`] kept; nothing if it kept nothing.
    fn record(&self, smartbox: SmartboxId) -> BoxFuture<'_, Result<Option<Bytes>, SnapshotError>>;
    /// Writes, reads and removes a small object: whether the storage works.
    fn probe(&self) -> BoxFuture<'_, Result<(), SnapshotError>>;
    /// Where it is, for a person: a directory, or a bucket at an endpoint. Without credentials.
    fn whereabouts(&self) -> String;
}
