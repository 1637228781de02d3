//! What a failure means to the caller: from object stores, from the library, from the kernel.

use std::error::Error;
use std::io::ErrorKind;

use rustic_core::RusticError;
use smartbox_core::snapshot::port::{Cause, SnapshotError};

/// What a failed request to the object store means.
pub(crate) fn of_store(error: object_store::Error) -> SnapshotError {
    use object_store::Error as Store;
    match error {
        Store::NotFound { .. } => SnapshotError::Missing { what: "object" },
        Store::AlreadyExists { .. } | Store::Precondition { .. } => {
            SnapshotError::Exists { what: "object" }
        }
        Store::PermissionDenied { .. } | Store::Unauthenticated { .. } => {
            SnapshotError::Refused(error.into())
        }
        // A store has one variant for everything else; the kernel's word is further down.
        other => match kernel(&other) {
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => SnapshotError::Full,
            Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
                SnapshotError::Refused(other.into())
            }
            _ => SnapshotError::Away(other.into()),
        },
    }
}

/// What the library's own word means, where the store did not fail: that what it read made no sense.
pub(crate) fn of_library(what: &'static str, error: Box<RusticError>) -> SnapshotError {
    SnapshotError::Corrupt { what, source: Cause::from(error as Box<dyn Error + Send + Sync>) }
}

/// What a failed call to the kernel means, at the destination of a restore.
pub(crate) fn of_kernel(doing: &'static str, error: std::io::Error) -> SnapshotError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => SnapshotError::Full,
        _ => SnapshotError::Broken { doing, source: error.into() },
    }
}

/// The kind of the first error of the kernel in a chain of causes.
pub(crate) fn kernel(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    let mut at = Some(error);
    while let Some(this) = at {
        if let Some(io) = this.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        at = this.source();
    }
    None
}

/// What this driver cannot do yet.
pub(crate) fn not_yet(doing: &'static str) -> SnapshotError {
    SnapshotError::Broken { doing, source: "this driver cannot do it yet".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(kind: ErrorKind) -> object_store::Error {
        let source = Box::new(std::io::Error::from(kind));
        object_store::Error::Generic { store: "LocalFileSystem", source }
    }

    #[test]
    fn a_full_disk_is_found_beneath_the_stores_word() {
        assert!(matches!(of_store(generic(ErrorKind::StorageFull)), SnapshotError::Full));
        assert!(matches!(of_store(generic(ErrorKind::QuotaExceeded)), SnapshotError::Full));
        let read_only = of_store(generic(ErrorKind::ReadOnlyFilesystem));
        assert!(matches!(read_only, SnapshotError::Refused(_)));
        assert!(matches!(of_store(generic(ErrorKind::TimedOut)), SnapshotError::Away(_)));
    }
}
