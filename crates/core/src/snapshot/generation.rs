//! Generations: which snapshot is the newest of a box, when several platforms, dead ones and slow ones
//! have written to one repository, which knows no locks and no numbers.
//!
//! A number is claimed beside the repository by a conditional create that carries the owner's fence. The
//! snapshot is taken under the claim. It is a generation once the box's row names it, in one transaction
//! that checks the fence; until then, and for ever if that never happens, it is an orphan.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::port::SnapshotError;
use super::{Shelf, Snapshot, SnapshotId};
use crate::time::Timestamp;

/// A generation's number. The first is 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(transparent)]
pub struct Generation(pub u64);

/// A claim to a number, as it lies beside the repository. One after the newest generation is never removed:
/// a number that was claimed is nobody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The number.
    pub generation: Generation,
    /// The fence of who claimed it.
    pub fence: u64,
    /// When.
    pub at: Timestamp,
}

/// A generation that a box's row names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its number.
    pub generation: Generation,
    /// The snapshot that it is.
    pub snapshot: SnapshotId,
}

/// What a box's row says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lineage {
    /// The fence of the row's owner.
    pub fence: u64,
    /// The generations, oldest first. What is not among them is not one.
    pub named: Vec<Named>,
    /// The generation that the home at hand was restored from or has become; nothing if it never had one.
    pub home: Option<Generation>,
}

/// Whether a number may be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claiming {
    /// This one.
    May(Generation),
    /// The home is not the newest generation's: writing it would bury that one. Restore first.
    Restore {
        /// The newest generation.
        newest: Generation,
    },
    /// A newer owner has claimed already: this one is a zombie, and stops.
    Fenced {
        /// The newer owner's fence.
        by: u64,
    },
    /// There is no number left.
    Exhausted,
}

/// What becomes of a snapshot that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    /// The row names it.
    Name,
    /// It is an orphan: the row has another owner, or has gone on.
    Orphan,
}

/// What a snapshot in the repository is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A generation.
    Generation,
    /// Taken by the present owner and not named yet: perhaps in a moment. Hands off.
    Pending,
    /// It never became one: it was taken by a dead or a zombie owner, or passed over.
    Orphan,
}

/// What a box's home begins with where there is none.
#[derive(Debug)]
pub enum Begin {
    /// Nothing: the box never had a generation.
    Blank,
    /// This one.
    Restore(Snapshot),
    /// Nothing begins: its newest generation is named and could not be had. The box stays stopped and
    /// says why.
    Stay(SnapshotError),
}

impl Lineage {
    /// The newest generation.
    pub fn newest(&self) -> Option<&Named> {
        self.named.iter().max_by_key(|named| named.generation)
    }

    /// The number to claim next, given the claims beside the repository after the newest generation. A claim that no row names is of
    /// somebody who died: its number is skipped.
    pub fn claiming(&self, claims: &[Claim]) -> Claiming {
        if let Some(by) = claims.iter().map(|claim| claim.fence).max()
            && by > self.fence
        {
            return Claiming::Fenced { by };
        }
        let newest = self.newest().map(|named| named.generation);
        if let Some(newest) = newest
            && self.home != Some(newest)
        {
            return Claiming::Restore { newest };
        }
        let claimed = claims.iter().map(|claim| claim.generation).max();
        match claimed.max(newest).map_or(Some(1), |last| last.0.checked_add(1)) {
            Some(next) => Claiming::May(Generation(next)),
            None => Claiming::Exhausted,
        }
    }

    /// Whether the row names a snapshot that was taken under `claim`. Asked in the transaction that names
    /// it, of the row as it is then.
    pub fn settle(&self, claim: &Claim) -> Settle {
        let later = self.newest().is_none_or(|newest| newest.generation < claim.generation);
        let mine = claim.fence == self.fence;
        // A home that was restored meanwhile is not the one that the snapshot shows.
        let same = self.home == self.newest().map(|newest| newest.generation);
        if mine && later && same { Settle::Name } else { Settle::Orphan }
    }

    /// Whether another state may take the place of the home. One that is not in the newest generation
    /// would be lost; one that is gone cannot be.
    pub fn may_replace(&self, there: bool) -> bool {
        !there || self.home == self.newest().map(|newest| newest.generation)
    }

    /// Notes that another state took the place of the home. Since the newest generation has what was
    /// there before, what took its place is that one's successor, whichever it was restored from: the
    /// next snapshot shows it, and buries nothing.
    pub fn replaced(&mut self) {
        self.home = self.newest().map(|newest| newest.generation);
    }

    /// Notes that the row names `snapshot`: the home has become this generation.
    pub fn name(&mut self, claim: &Claim, snapshot: SnapshotId) {
        self.named.push(Named { generation: claim.generation, snapshot });
        self.home = Some(claim.generation);
    }

    /// What a snapshot in the repository is.
    pub fn standing(&self, snapshot: &Snapshot) -> Standing {
        let claim = &snapshot.claim;
        // By number and by name: a zombie may have written another one under the same number.
        let named = self
            .named
            .iter()
            .any(|named| named.generation == claim.generation && named.snapshot == snapshot.id);
        match (named, self.settle(claim)) {
            (true, _) => Standing::Generation,
            (false, Settle::Name) => Standing::Pending,
            (false, Settle::Orphan) => Standing::Orphan,
        }
    }

    /// Whether an owner may remove anything from the repository: only the present one.
    pub fn may_prune(&self, fence: u64) -> bool {
        fence == self.fence
    }

    /// What a home begins with, given what its repository answered. A row that names a generation never
    /// leads to a blank home, whatever the repository says; one that names none is not asked.
    pub fn begin(&self, shelf: Result<Shelf, SnapshotError>) -> Begin {
        let Some(newest) = self.newest() else { return Begin::Blank };
        match shelf {
            Err(error) => Begin::Stay(error),
            Ok(Shelf::NoneYet) => Begin::Stay(SnapshotError::Missing { what: "snapshot" }),
            Ok(Shelf::Some(snapshots)) => {
                match snapshots.into_iter().find(|one| one.id == newest.snapshot) {
                    Some(found) => Begin::Restore(found),
                    None => Begin::Stay(SnapshotError::Missing { what: "snapshot" }),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
