//! The data directory: ours alone, and made before anything is put into it.

use std::fs::{DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use super::error::BootError;

/// What is in it from the start.
const DIRS: [&str; 4] = ["keys", "bin", "logs", "engines"];

/// Makes it, with mode 0700, or checks that it is ours and closes it to others.
pub(super) fn prepare(data_dir: &Path) -> Result<(), BootError> {
    private(data_dir)?;
    for name in DIRS {
        private(&data_dir.join(name))?;
    }
    Ok(())
}

fn private(path: &Path) -> Result<(), BootError> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::StorageFull => BootError::Full { path: path.to_owned() },
        _ => BootError::DataDir { path: path.to_owned(), why: error.to_string() },
    };
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    let found = std::fs::metadata(path).map_err(failed)?;
    let us = rustix::process::geteuid().as_raw();
    if found.uid() != us {
        let why = format!("it belongs to uid {}, and this is uid {us}", found.uid());
        return Err(BootError::DataDir { path: path.to_owned(), why });
    }
    if found.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}
