//! The directory beside a home in which parts of it are copied: empty before and after.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use smartbox_core::home::place::HomePlace;
use smartbox_core::snapshot::port::SnapshotError;

use crate::error::of_kernel;

/// It is there for as long as this is.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(place: &HomePlace) -> Result<Self, SnapshotError> {
        let path = place.scratch.clone();
        let make = || {
            // What a dead process left.
            clear(&path)?;
            fs::DirBuilder::new().mode(0o700).create(&path)?;
            if let Some((uid, gid)) = place.user.filter(|_| rustix::process::geteuid().is_root()) {
                std::os::unix::fs::lchown(&path, Some(uid), Some(gid))?;
            }
            Ok(())
        };
        make().map_err(|error: io::Error| of_kernel("making room for copies", error))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // If it cannot be, the next one says so.
        let _ = clear(&self.0);
    }
}

/// It steps by descriptors and follows nothing, though a box's user can write there.
fn clear(path: &PathBuf) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
