//! Commits that fail when told to.

use std::collections::BTreeMap;

use smartbox_core::store::StoreError;

/// When, around the commit, the fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing is kept: a disk that is full.
    Before,
    /// All is kept, and the caller is not told so: a process killed before it could answer.
    After,
}

/// What the caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// [`StoreError::Full`].
    Full,
    /// [`StoreError::Broken`].
    Broken,
}

impl Fault {
    pub(super) fn error(self) -> StoreError {
        match self {
            Self::Full => StoreError::Full,
            Self::Broken => StoreError::Broken("a fault that was asked for".into()),
        }
    }
}

/// What is to fail, by the number of the commit.
#[derive(Default)]
pub(super) struct Faults {
    commits: u64,
    fenced: bool,
    planned: BTreeMap<u64, (Moment, Fault)>,
}

impl Faults {
    pub(super) fn add(&mut self, nth: u64, moment: Moment, fault: Fault) {
        self.planned.insert(self.commits.saturating_add(nth.max(1)), (moment, fault));
    }

    pub(super) fn heal(&mut self) {
        self.planned.clear();
    }

    pub(super) fn fence_off(&mut self) {
        self.fenced = true;
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits
    }

    pub(super) fn check_fence(&self) -> Result<(), StoreError> {
        if self.fenced { Err(StoreError::Fenced) } else { Ok(()) }
    }

    pub(super) fn next_commit(&mut self) -> Option<(Moment, Fault)> {
        self.commits += 1;
        self.planned.remove(&self.commits)
    }
}
