//! The gate before a snapshot: it is written only if nothing failed on the way.
//!
//! The library goes on over what it cannot read, and over some of what it cannot write: the file is left
//! out, a line goes to the log, the snapshot is written. A hole that nobody sees is the one thing that a
//! snapshot must not have, so whatever fails is noted here and the snapshot itself is refused.

use std::sync::{Arc, Mutex, PoisonError};

use smartbox_core::snapshot::port::SnapshotError;

/// Remembers the first thing that failed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    shut: bool,
    first: Option<SnapshotError>,
}

impl Gate {
    /// Notes a failure. The first one stays, since others follow from it.
    pub(crate) fn shut(&self, error: SnapshotError) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.shut {
            *state = State { shut: true, first: Some(error) };
        }
    }

    /// Whether nothing has failed.
    pub(crate) fn is_open(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).shut
    }

    /// What failed first, once. The gate stays shut.
    pub(crate) fn why(&self) -> Option<SnapshotError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).first.take()
    }
}
