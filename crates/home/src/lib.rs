//! Files beneath a directory whose owner is hostile: the safe walk, and whole-or-nothing writes.
//!
//! The owner of a home may rename, link and replace everything in it at any moment, while we look.
//! So nothing here ever uses a path twice: the kernel resolves it beneath the home's descriptor
//! (`beneath`), and from then on only descriptors are used. What is absent: who may ask, an
//! async runtime (every call may wait for a disk), and words of the wire. Init and the runtime
//! driver share it, so that there is one walk and not two.

mod beneath;
mod destroy;
mod draft;
mod entry;
mod list;
mod path;
mod place;
mod read;
mod staging;

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

pub use destroy::{destroy, remove_tree};
pub use draft::{Condition, Draft, Order};
pub use entry::{Entry, Kind};
pub use list::Page;
pub use path::Beneath;
pub use read::Opened;

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The path, name or mode is not acceptable.
    #[error("{0}")]
    Bad(&'static str),
    /// There is no such thing.
    #[error("there is no such file")]
    Absent,
    /// Something is there already.
    #[error("there is something of that name already")]
    Exists,
    /// The path leads out of the home, or to what is neither file nor directory.
    #[error("the path leads out of the home, or not to a regular file")]
    Outside,
    /// A directory where a file was meant.
    #[error("it is a directory")]
    IsDirectory,
    /// A file where a directory was meant.
    #[error("it is not a directory")]
    NotDirectory,
    /// The directory holds something.
    #[error("the directory is not empty")]
    NotEmpty,
    /// It is no longer what the caller saw.
    #[error("it has changed meanwhile")]
    Changed,
    /// More than is looked at in one go, or it grows while it is taken down.
    #[error("there is too much in it, or it is being written to")]
    TooMuch,
    /// The home has no room.
    #[error("the home is full")]
    Full,
    /// The system refused.
    #[error("the system refused: {0}")]
    System(Errno),
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT => Self::Absent,
            Errno::NOTDIR => Self::NotDirectory,
            Errno::EXIST => Self::Exists,
            Errno::ISDIR => Self::IsDirectory,
            Errno::NOTEMPTY => Self::NotEmpty,
            Errno::XDEV | Errno::LOOP | Errno::NXIO => Self::Outside,
            Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Self::Full,
            Errno::NAMETOOLONG => Self::Bad("the path is too long"),
            other => Self::System(other),
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        match error.raw_os_error() {
            Some(number) => Errno::from_raw_os_error(number).into(),
            None if error.kind() == std::io::ErrorKind::WriteZero => Self::Full,
            None => Self::System(Errno::IO),
        }
    }
}

/// A home, open. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Home(Arc<OwnedFd>);

impl Home {
    /// Opens a home by its path on the host, which is ours and not the box's.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(Arc::new(rustix::fs::open(path, flags, Mode::empty())?)))
    }

    /// The uid and gid that own it.
    pub fn owner(&self) -> Result<(u32, u32), Fault> {
        let stat = rustix::fs::fstat(&*self.0)?;
        Ok((stat.st_uid, stat.st_gid))
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for Home {
    fn from(fd: OwnedFd) -> Self {
        Self(Arc::new(fd))
    }
}

impl From<File> for Home {
    fn from(file: File) -> Self {
        OwnedFd::from(file).into()
    }
}
