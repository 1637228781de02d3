//! The words of [`smartbox_home`] as those of the port.

use smartbox_core::home::port::FileError;
use smartbox_core::home::{FileEntry, FileKind, Precondition};
use smartbox_core::time::Timestamp;
use smartbox_home::{Condition, Entry, Fault, Kind};

pub(crate) fn entry(entry: Entry) -> FileEntry {
    FileEntry {
        name: entry.name,
        kind: match entry.kind {
            Kind::File => FileKind::File,
            Kind::Directory => FileKind::Directory,
            Kind::Link => FileKind::Link,
            Kind::Other => FileKind::Other,
        },
        size: entry.size,
        mode: entry.mode,
        modified: Timestamp(entry.modified_ms),
        tag: entry.tag,
        target: entry.target,
    }
}

pub(crate) fn condition(condition: Precondition) -> Condition {
    match condition {
        Precondition::Any => Condition::Any,
        Precondition::Absent => Condition::Absent,
        Precondition::Present => Condition::Present,
        Precondition::OneOf(tags) => Condition::OneOf(tags),
    }
}

pub(crate) fn explain(fault: impl Into<Fault>) -> FileError {
    let fault = fault.into();
    use rustix::io::Errno;
    let why = fault.to_string();
    match fault {
        Fault::Bad(_) => FileError::Bad { why },
        Fault::Absent => FileError::Absent,
        Fault::Exists => FileError::Exists,
        Fault::Changed => FileError::Changed,
        Fault::Full => FileError::Full,
        Fault::Outside
        | Fault::IsDirectory
        | Fault::NotDirectory
        | Fault::NotEmpty
        | Fault::TooMuch => FileError::Unfit { why },
        Fault::System(Errno::ACCESS | Errno::PERM) => FileError::Forbidden,
        Fault::System(errno) => FileError::Broken {
            doing: "working on a file",
            source: std::io::Error::from(errno).into(),
        },
    }
}
