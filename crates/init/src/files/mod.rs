//! Files of the home, whole, for the platform's own hand: the engine's configuration above all. The
//! walk is [`smartbox_home`]'s. The box owns the home and is hostile: it may put links and pipes
//! where files were.

pub(crate) mod read;
pub(crate) mod write;

use smartbox_home::Fault;

/// Why a file is not read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileFault {
    /// The home says no.
    #[error(transparent)]
    Home(#[from] Fault),
    /// More bytes than a caller takes.
    #[error("the file is too long")]
    TooLong,
    /// The sender stopped in the middle.
    #[error("the file's bytes stopped coming")]
    CutOff,
}

/// Does what may wait for a disk on a thread that may wait.
async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileFault> + Send + 'static,
) -> Result<T, FileFault> {
    tokio::task::spawn_blocking(work).await.map_err(|_| FileFault::CutOff)?
}
