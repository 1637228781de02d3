//! Files of the home, whole. The box owns the home and is hostile: it may put links and pipes where
//! files were.

pub(crate) mod beneath;
pub(crate) mod path;
pub(crate) mod read;
pub(crate) mod write;

use rustix::io::Errno;

/// Why a file is not read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileFault {
    /// The path or mode is not acceptable.
    #[error("{0}")]
    Bad(&'static str),
    /// There is no such file.
    #[error("there is no such file")]
    Absent,
    /// The path leads out of the home, or to something that is no file.
    #[error("the path leads out of the home, or not to a regular file")]
    Outside,
    /// More bytes than a caller takes.
    #[error("the file is too long")]
    TooLong,
    /// The home has no room.
    #[error("the home is full")]
    Full,
    /// The sender stopped in the middle.
    #[error("the file's bytes stopped coming")]
    CutOff,
    /// The system refused.
    #[error("the system refused: {0}")]
    System(Errno),
}

impl From<Errno> for FileFault {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::NOTDIR => Self::Absent,
            Errno::XDEV | Errno::LOOP | Errno::ISDIR | Errno::NXIO => Self::Outside,
            Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Self::Full,
            other => Self::System(other),
        }
    }
}

/// Does what may wait for a disk on a thread that may wait.
async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileFault> + Send + 'static,
) -> Result<T, FileFault> {
    tokio::task::spawn_blocking(work).await.map_err(|_| FileFault::CutOff)?
}
