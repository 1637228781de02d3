//! One `up` per data directory: a lock that ends with the process, however that ends.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::error::BootError;

/// Held while the platform runs.
pub(super) struct Lock(#[expect(dead_code, reason = "held for its lock alone")] File);

/// Takes the lock and writes our process id beside it, for whoever comes next.
pub(super) fn take(data_dir: &Path) -> Result<Lock, BootError> {
    let path = data_dir.join("lock");
    let failed =
        |error: std::io::Error| BootError::DataDir { path: path.clone(), why: error.to_string() };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let mut text = String::new();
            // What it says is only for the message.
            let _ = file.read_to_string(&mut text);
            let pid = text.trim().parse().ok();
            return Err(BootError::Running { data_dir: data_dir.to_owned(), pid });
        }
        Err(error) => return Err(failed(error.into())),
    }
    file.set_len(0).map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(Lock(file))
}
