//! What a driver must do with homes, whether there is a sandbox or not. It wakes nobody.

use bytes::Bytes;

use super::{FileChange, FileEntry, FilePage, FilePath, HomeOf, WriteOrder};
use crate::{BoxFuture, BoxStream};

/// Why something is not done with a file. Each variant is a different thing to do.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The path, a name or a mode is not acceptable: write another.
    #[error("{why}")]
    Bad {
        /// For a person.
        why: String,
    },
    /// There is no such thing.
    #[error("there is no such file")]
    Absent,
    /// Something of that name is there: choose another, or replace it.
    #[error("there is something of that name already")]
    Exists,
    /// What is there is not what it would have to be: a directory, a pipe, a link that leads out.
    #[error("{why}")]
    Unfit {
        /// For a person.
        why: String,
    },
    /// It is no longer what the caller saw: look again.
    #[error("the file has changed meanwhile")]
    Changed,
    /// The box's own permissions forbid it.
    #[error("the permissions of the file, or of its directory, forbid it")]
    Forbidden,
    /// The home or the disk has no room.
    #[error("there is no room for it")]
    Full,
    /// The machine failed; trying again may help.
    #[error("{doing} failed")]
    Broken {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The files of every home of this installation. Everything stays beneath the home, whatever a
/// process inside does meanwhile; links that stay beneath are followed on the way.
pub trait Homes: Send + Sync {
    /// Looks at something. A link itself is seen, not what it leads to.
    fn look(&self, of: HomeOf, path: FilePath) -> BoxFuture<'_, Result<FileEntry, FileError>>;
    /// Lists what a directory holds after a name, at most `limit` entries. A home that was never made
    /// is empty.
    fn list(
        &self,
        of: HomeOf,
        path: FilePath,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> BoxFuture<'_, Result<FilePage, FileError>>;
    /// Opens a regular file.
    fn open(
        &self,
        of: HomeOf,
        path: FilePath,
    ) -> BoxFuture<'_, Result<Box<dyn OpenFile>, FileError>>;
    /// Begins to write a file. Nothing is seen of it before it is placed.
    fn write(
        &self,
        of: HomeOf,
        path: FilePath,
        order: WriteOrder,
    ) -> BoxFuture<'_, Result<Box<dyn FileDraft>, FileError>>;
    /// Changes names and directories. Says what is there now; nothing after a removal.
    fn change(
        &self,
        of: HomeOf,
        path: FilePath,
        change: FileChange,
    ) -> BoxFuture<'_, Result<Option<FileEntry>, FileError>>;
}

/// A regular file, open: what is read is this one, whatever its name means meanwhile.
pub trait OpenFile: Send + Sync {
    /// What it was when it was opened.
    fn entry(&self) -> &FileEntry;
    /// Bytes from an offset. Fewer than `len` come if it has become shorter.
    fn pieces(&self, from: u64, len: u64) -> BoxStream<'static, Result<Bytes, FileError>>;
}

/// A file on its way. Dropped before it is placed, or if the process dies, nothing is seen of it.
pub trait FileDraft: Send {
    /// Adds bytes.
    fn add(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), FileError>>;
    /// Puts it in its place, flushed to the disk, and says what is there now.
    fn place(self: Box<Self>) -> BoxFuture<'static, Result<FileEntry, FileError>>;
}
