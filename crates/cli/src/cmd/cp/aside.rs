//! What is on its way to this machine's disk: under a name of its own until it is whole.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::CliError;
use crate::ui::out;

/// A file or folder beside its target, under another name until it is whole; gone if it never is.
pub(super) struct Aside {
    pub(super) path: PathBuf,
    placed: bool,
}

impl Aside {
    pub(super) fn beside(to: &Path) -> Result<Self, CliError> {
        let name = to.file_name().ok_or_else(|| {
            CliError::usage("the target has no name", "name a file or folder on the right")
        })?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".smartbox-{}", std::process::id()));
        Ok(Self { path: to.with_file_name(hidden), placed: false })
    }

    pub(super) fn create_file(&self) -> io::Result<File> {
        // What an earlier run of this number left is not followed, whatever it is.
        match fs::remove_file(&self.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        File::options().write(true).create_new(true).mode(0o666).open(&self.path)
    }

    pub(super) fn place(mut self, to: &Path) -> Result<(), CliError> {
        fs::rename(&self.path, to).map_err(|e| unwritable(to, &e))?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.placed {
            // Whichever of the two it is; it may not have been made yet.
            let _ = fs::remove_file(&self.path).or_else(|_| fs::remove_dir_all(&self.path));
        }
    }
}

pub(super) fn unwritable(path: &Path, error: &io::Error) -> CliError {
    let what = format!("{} cannot be written: {error}", out::line(&path.to_string_lossy()));
    CliError::here(what, "")
}
