//! Puppet's place: an engine that the platform does not install, put where boxes find it.

use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::error::BootError;

const HINT: &str = "set `[engine] path` to the program `smartbox-puppet`";

/// The engine's directory with puppet's program in it, copied anew: it is small, and may have changed.
pub(crate) fn place_puppet(data_dir: &Path, program: Option<&Path>) -> Result<PathBuf, BootError> {
    let Some(program) = program else {
        return Err(BootError::Install {
            why: "puppet is not installed by the platform".into(),
            hint: HINT.into(),
            source: None,
        });
    };
    let dir = data_dir.join("engines/puppet");
    copy(program, &dir).map_err(|error| match error.kind() {
        ErrorKind::StorageFull => BootError::Full { path: dir.clone() },
        _ => BootError::Install {
            why: format!("{} could not be copied: {error}", program.display()),
            hint: HINT.into(),
            source: Some(error.into()),
        },
    })?;
    Ok(dir)
}

fn copy(program: &Path, dir: &Path) -> std::io::Result<()> {
    let bin = dir.join("bin");
    std::fs::create_dir_all(&bin)?;
    let staged = bin.join("smartbox-puppet.new");
    std::fs::copy(program, &staged)?;
    // Boxes have uids of their own and must be able to read and run it.
    for path in [dir, bin.as_path(), staged.as_path()] {
        std::fs::set_permissions(path, Permissions::from_mode(0o755))?;
    }
    // Renamed over the old one: a box that runs it keeps what it has.
    std::fs::rename(staged, bin.join("smartbox-puppet"))
}
