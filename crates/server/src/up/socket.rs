//! The local socket in the data directory: for processes of our own uid, without a token.
//!
//! A socket's address holds 107 bytes and a data directory may lie deeper, so both ends go to it
//! by a descriptor of the directory.

use std::fs::{File, Permissions};
use std::io::{Error, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::error::BootError;
use crate::config::place;

/// Makes it anew; one that a dead process left is in nobody's way, since we hold the lock.
pub(super) fn bind(data_dir: &Path) -> Result<UnixListener, BootError> {
    let path = place::socket(data_dir);
    let failed = |error: Error| match error.kind() {
        ErrorKind::StorageFull => BootError::Full { path: path.clone() },
        _ => BootError::DataDir { path: path.clone(), why: error.to_string() },
    };
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let dir = File::open(data_dir).map_err(failed)?;
    let listener = UnixListener::bind(short(&dir)).map_err(failed)?;
    // The directory is closed to others already; this says it of the socket, too.
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Connects to the platform that runs on this data directory, and checks that it is of our own
/// uid. `NotFound` or `ConnectionRefused`: none runs.
pub async fn connect(data_dir: &Path) -> std::io::Result<UnixStream> {
    let dir = File::open(data_dir)?;
    let stream = UnixStream::connect(short(&dir)).await?;
    if is_us(&stream) {
        Ok(stream)
    } else {
        let why = "another user's process answers on the socket";
        Err(Error::new(ErrorKind::PermissionDenied, why))
    }
}

/// Whether a process of our own uid is at the other end.
pub(super) fn is_us(stream: &UnixStream) -> bool {
    let us = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|them| them.uid() == us)
}

fn short(dir: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/control.sock", dir.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_data_directory_may_lie_deeper_than_a_sockets_address_reaches() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a-directory-with-a-long-name/".repeat(8));
        std::fs::create_dir_all(&deep).unwrap();
        let first = connect(&deep).await.unwrap_err();
        assert_eq!(first.kind(), ErrorKind::NotFound);
        let listener = bind(&deep).unwrap();
        let stream = connect(&deep).await.unwrap();
        assert!(is_us(&stream));
        drop((listener, stream));
        assert_eq!(connect(&deep).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        // One that a dead process left is replaced.
        let _listener = bind(&deep).unwrap();
        connect(&deep).await.unwrap();
        let mode = std::fs::metadata(deep.join("control.sock")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
