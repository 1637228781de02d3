//! A home: the directory of files that a smartbox owns. It outlives every sandbox, and what is in it
//! is the box's: names, links and contents are hostile.

pub mod place;
pub mod port;

use crate::id::SmartboxId;
use crate::time::Timestamp;

/// Which home, and what a driver needs to know to make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeOf {
    /// Whose.
    pub smartbox: SmartboxId,
    /// Chooses the host uid that owns it.
    pub slot: u32,
    /// Bytes that it may hold; zero means without limit.
    pub disk_bytes: u64,
}

/// A path as its caller wrote it: relative to the home, names are bytes. The driver refuses what leads
/// out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilePath(pub Vec<u8>);

impl From<&str> for FilePath {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

/// What kind of thing is in a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A pipe, a socket, a device: seen, never opened.
    Other,
}

/// What is known of a thing in a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name, as the kernel has it; empty for the home itself.
    pub name: Vec<u8>,
    /// What kind of thing it is.
    pub kind: FileKind,
    /// Bytes, of a file.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// When its content changed last.
    pub modified: Timestamp,
    /// Another one for every other content.
    pub tag: String,
    /// Where a link says that it leads.
    pub target: Option<Vec<u8>>,
}

/// A part of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilePage {
    /// Its entries, by name.
    pub entries: Vec<FileEntry>,
    /// The name after which the next page begins, if there is more.
    pub next: Option<Vec<u8>>,
}

/// What must be there before something is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Whatever.
    #[default]
    Any,
    /// Nothing.
    Absent,
    /// Something.
    Present,
    /// One of these, by [`FileEntry::tag`].
    OneOf(Vec<String>),
}

/// How to write a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteOrder {
    /// Permission bits; those of the file that it replaces, or 0600, if none are given.
    pub mode: Option<u32>,
    /// Whether to make directories that are missing.
    pub parents: bool,
    /// What must be there before.
    pub condition: Precondition,
}

/// How to change names and directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChange {
    /// Makes a directory; with `parents`, what is missing on the way too, and one that is there is fine.
    MakeDirectory {
        /// Whether to make what is missing.
        parents: bool,
    },
    /// Gives it another name within the home.
    Rename {
        /// The new path.
        to: FilePath,
        /// Whether something else may be replaced.
        replace: bool,
    },
    /// Removes a file, a link (never what it leads to) or an empty directory.
    Remove {
        /// A directory with everything in it.
        recursive: bool,
        /// What must be there before.
        condition: Precondition,
    },
}
