//! What a driver must do with repositories of snapshots. It decides nothing: what may be claimed,
//! named, restored or removed is decided by the rules beside this file.

use std::path::PathBuf;

use super::{Claim, Generation, RepositoryOf, Shelf, Snapshot, SnapshotId};
use crate::BoxFuture;
use crate::secret::Secret;
use crate::time::Timestamp;

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

/// How to take a snapshot.
#[derive(Debug, Clone)]
pub struct TakeOrder {
    /// The home. Nothing in it is followed out of it.
    pub home: PathBuf,
    /// What to leave out: globs over paths relative to the home; `*` stays within a name, `**` does not.
    pub exclude: Vec<String>,
    /// The claim under which it is taken; it is written into the snapshot.
    pub claim: Claim,
    /// The time now.
    pub at: Timestamp,
}

/// A snapshot that was taken. It is acknowledged: whatever dies from now on, it can be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Pipes, sockets and devices, which are left out and never opened.
    pub left_out: u64,
}

/// What was read back and found as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Snapshots of which every byte is there.
    pub snapshots: u64,
}

/// The repositories of this installation, one per box. Only one task at a time may take, and only with a
/// claim; reading is free.
pub trait Snapshots: Send + Sync {
    /// Makes a box's repository. One that is there already is [`SnapshotError::Exists`].
    fn create(&self, of: RepositoryOf) -> BoxFuture<'_, Result<(), SnapshotError>>;
    /// Takes a snapshot, whole or not at all.
    fn take(
        &self,
        of: RepositoryOf,
        order: TakeOrder,
    ) -> BoxFuture<'_, Result<Taken, SnapshotError>>;
    /// Lists what there is.
    fn list(&self, of: RepositoryOf) -> BoxFuture<'_, Result<Shelf, SnapshotError>>;
    /// Restores a snapshot into an empty directory and compares what came out with what it should be.
    /// Owners are not restored: whoever gives the directory to a sandbox gives it to its user.
    fn restore(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        into: PathBuf,
    ) -> BoxFuture<'_, Result<(), SnapshotError>>;
    /// Reads back every byte of one snapshot, or of everything.
    fn verify(
        &self,
        of: RepositoryOf,
        id: Option<SnapshotId>,
    ) -> BoxFuture<'_, Result<Verified, SnapshotError>>;
    /// Claims a generation: of all who ask for the same one, one gets it, the others
    /// [`SnapshotError::Exists`].
    fn claim(&self, of: RepositoryOf, claim: Claim) -> BoxFuture<'_, Result<(), SnapshotError>>;
    /// The claims to numbers after one, lowest first. Those before a named generation decide nothing.
    fn claims(
        &self,
        of: RepositoryOf,
        after: Option<Generation>,
    ) -> BoxFuture<'_, Result<Vec<Claim>, SnapshotError>>;
    /// Adds a password by which a program that knows nothing of us opens the repository.
    fn add_password(
        &self,
        of: RepositoryOf,
        password: Secret<String>,
    ) -> BoxFuture<'_, Result<(), SnapshotError>>;
}
