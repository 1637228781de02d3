//! What an error of the engine room is as the failure of a job: the same words as in the API.

use smartbox_core::home::port::FileError;
use smartbox_core::job::JobFailure;
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::store::StoreError;

use super::work::Halt;
use crate::error::ControlError;

impl From<ControlError> for Halt {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Draining | ControlError::Store(StoreError::Fenced) => Self::Lost,
            other => Self::Failed(failure(&other)),
        }
    }
}

/// What happened, and what a person can do.
pub(crate) fn failure(error: &ControlError) -> JobFailure {
    let (code, hint) = match error {
        ControlError::Missing { .. } => ("not-found", String::new()),
        ControlError::Forbidden { .. } => ("forbidden", String::new()),
        ControlError::Exists { .. } => ("exists", String::new()),
        ControlError::BadName(_) => ("bad-name", String::new()),
        ControlError::Off { name } => {
            let name = name.as_deref().unwrap_or("BOX");
            ("off", format!("`smartbox start {name}` turns it on"))
        }
        ControlError::Failed(failure) => ("failed", failure.hint.clone()),
        ControlError::Tripped(failure) => ("tripped", failure.hint.clone()),
        ControlError::Late { .. } => ("late", "it may still be on its way".to_owned()),
        ControlError::Refused { hint, .. } => ("refused", hint.clone()),
        ControlError::NotNow { hint, .. } => ("conflict", hint.clone()),
        ControlError::Stale { .. } => ("conflict", "look at it again".to_owned()),
        ControlError::Invalid { .. } => {
            ("invalid-config", "nothing was changed; correct it and try again".to_owned())
        }
        ControlError::OtherConfig { .. } => ("precondition-failed", "look again".to_owned()),
        ControlError::NoSchema(_) => ("upstream", "`smartbox doctor` may know more".to_owned()),
        ControlError::Draining => ("draining", String::new()),
        ControlError::Store(StoreError::Full) => {
            ("disk-full", "free some space, then ask for it again".to_owned())
        }
        ControlError::Store(_) => ("internal", "the platform's log says more".to_owned()),
        ControlError::File(error) => (of_file(error), String::new()),
        ControlError::Snapshot(error) => of_snapshot(error),
        ControlError::Digest => ("digest-mismatch", String::new()),
        ControlError::CutOff { .. } => ("bad-request", String::new()),
        ControlError::Runtime(_) | ControlError::Engine(_) | ControlError::Link(_) => {
            ("upstream", "look at `smartbox logs`".to_owned())
        }
    };
    JobFailure { code: code.to_owned(), detail: error.to_string(), hint }
}

fn of_file(error: &FileError) -> &'static str {
    match error {
        FileError::Bad { .. } => "bad-request",
        FileError::Absent => "not-found",
        FileError::Exists => "exists",
        FileError::Unfit { .. } => "refused",
        FileError::Changed => "precondition-failed",
        FileError::Forbidden => "forbidden",
        FileError::Full => "disk-full",
        FileError::Broken { .. } => "internal",
    }
}

fn of_snapshot(error: &SnapshotError) -> (&'static str, String) {
    match error {
        SnapshotError::Missing { .. } => ("not-found", String::new()),
        SnapshotError::Exists { .. } | SnapshotError::Occupied => ("conflict", String::new()),
        SnapshotError::Full => ("disk-full", "make room in the storage of snapshots".to_owned()),
        SnapshotError::Away(_) => ("upstream", "try again once it answers".to_owned()),
        SnapshotError::Refused(_) => {
            ("upstream", "see to its permissions, or to its credentials".to_owned())
        }
        SnapshotError::Corrupt { .. } => {
            ("upstream", "take another snapshot; older ones may be whole".to_owned())
        }
        SnapshotError::Hole { .. } => ("conflict", "take it again".to_owned()),
        SnapshotError::Broken { .. } => ("internal", "the platform's log says more".to_owned()),
    }
}
