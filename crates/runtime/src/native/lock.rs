//! The lock of one box's directory: control planes that share it take turns at making and ending the box.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::time::Duration;

use smartbox_core::sandbox::port::RuntimeError;

use super::dirs::BoxDir;
use super::error::{broken, broken_by};
use super::remove;

/// How long another control plane may hold it.
const PATIENCE: Duration = Duration::from_secs(30);

const DOING: &str = "locking the box";

/// Waits for it; it is held until the file is dropped.
pub(super) async fn across(dir: &BoxDir) -> Result<File, RuntimeError> {
    wait(open(dir).map_err(|e| broken(DOING, e))?).await
}

/// Waits for it where the box has a directory. Without one there is nothing that others could be at.
pub(super) async fn if_there(dir: &BoxDir) -> Result<Option<File>, RuntimeError> {
    match open(dir) {
        Ok(file) => wait(file).await.map(Some),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(broken(DOING, e)),
    }
}

/// Takes it if nobody has it now.
pub(super) fn now(dir: &BoxDir) -> Result<Option<File>, RuntimeError> {
    let file = match open(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|e| broken(DOING, e))?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(broken(DOING, e)),
    }
}

fn open(dir: &BoxDir) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(dir.path().join("lock"))
}

async fn wait(file: File) -> Result<File, RuntimeError> {
    let held = remove::until(PATIENCE, || match file.try_lock() {
        Ok(()) => Some(Ok(())),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(e)) => Some(Err(e)),
    });
    match held.await {
        Some(Ok(())) => Ok(file),
        Some(Err(e)) => Err(broken(DOING, e)),
        None => Err(broken_by(DOING, "another control plane holds it")),
    }
}
