//! What a failure means to the caller: from object stores, from the library, from the kernel.

use std::error::Error;
use std::io::ErrorKind;

use rustic_core::RusticError;
use smartbox_core::snapshot::port::{Cause, SnapshotError};

/// What a failed request to the object store means.
pub(crate) fn of_store(error: object_store::Error) -> SnapshotError {
    use object_store::Error as Store;
    let text = error.to_string();
    // An object that is not there is one thing; that there is no place for any is another.
    if text.contains("NoSuchBucket") {
        return SnapshotError::Missing { what: BUCKET };
    }
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
            _ if is_full(&text) => SnapshotError::Full,
            _ if refuses(&text) => SnapshotError::Refused(other.into()),
            _ => SnapshotError::Away(other.into()),
        },
    }
}

/// What is missing where a bucket is.
pub(crate) const BUCKET: &str = "bucket";

/// A server's status is in the words of an error only.
const STATUS: &str = "Server returned non-2xx status code: ";

/// Whether a server has no room, in the words of those that say so.
fn is_full(text: &str) -> bool {
    text.contains(&format!("{STATUS}507"))
        || ["XMinioStorageFull", "QuotaExceeded"].iter().any(|code| text.contains(code))
}

/// Whether a server will not do it, however often it is asked: any 4xx but for those that pass; and a
/// redirection, which a wrong region leads to.
fn refuses(text: &str) -> bool {
    let passing = ["408", "409", "425", "429"];
    let status = text.split_once(STATUS).and_then(|(_, rest)| rest.get(..3));
    status.is_some_and(|code| code.starts_with(['3', '4']) && !passing.contains(&code))
        || text.contains("redirect without LOCATION")
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

/// What could not be read of a home.
pub(crate) fn hole(path: &[u8], source: impl Into<std::io::Error>) -> SnapshotError {
    let path = String::from_utf8_lossy(path).chars().take(200).collect();
    SnapshotError::Hole { path, source: source.into().into() }
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

    #[test]
    fn what_a_server_refuses_is_not_what_passes() {
        let said = |text: &str| {
            let source = format!("{STATUS}{text}").into();
            of_store(object_store::Error::Generic { store: "S3", source })
        };
        for refused in ["400 Bad Request: InvalidArgument", "405 Method Not Allowed", "301 Moved"] {
            assert!(matches!(said(refused), SnapshotError::Refused(_)), "{refused}");
        }
        for away in ["500 Internal", "503 Slow Down", "429 Too Many", "409 Conflict"] {
            assert!(matches!(said(away), SnapshotError::Away(_)), "{away}");
        }
        assert!(matches!(said("507 Insufficient Storage"), SnapshotError::Full));
        let gone = said("404 Not Found: NoSuchBucket: the bucket does not exist");
        assert!(matches!(gone, SnapshotError::Missing { what: BUCKET }));
    }
}
