//! A directory on the server's side coming in. It is an operator's, and copied as it lies.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::failed;
use super::raw::{Head, Raw, clean};
use crate::error::ControlError;

const DOING: &str = "reading what is imported";

/// Copies everything beneath `from`, as long as nobody says that it is over.
pub(super) fn copy(raw: &mut Raw, from: &Path, over: &AtomicBool) -> Result<(), ControlError> {
    let fail = |e: io::Error| failed(DOING, e);
    let mut next = vec![from.to_owned()];
    while let Some(dir) = next.pop() {
        for entry in fs::read_dir(&dir).map_err(fail)? {
            if over.load(Ordering::SeqCst) {
                return Err(ControlError::Draining);
            }
            let path = entry.map_err(fail)?.path();
            let beneath = path.strip_prefix(from).map_err(|e| fail(io::Error::other(e)))?;
            let name = clean(beneath.as_os_str().as_bytes())?;
            let meta = fs::symlink_metadata(&path).map_err(fail)?;
            let modified = u64::try_from(meta.mtime()).unwrap_or(0);
            let head = Head { path: name, mode: meta.mode(), modified };
            if meta.is_dir() {
                raw.directory(head.path, meta.mode() & 0o777 | 0o700)?;
                next.push(path);
            } else if meta.is_symlink() {
                let target = fs::read_link(&path).map_err(fail)?.into_os_string().into_vec();
                raw.link(head.path, target)?;
            } else if meta.is_file() {
                let file = File::open(&path).map_err(fail)?;
                let opened = file.metadata().map_err(fail)?;
                if (opened.dev(), opened.ino()) == (meta.dev(), meta.ino()) {
                    raw.file(head, file)?;
                } else {
                    raw.pass(head.path, "it changed while it was looked at")?;
                }
            } else {
                raw.pass(head.path, "it is neither file nor directory nor link")?;
            }
        }
    }
    Ok(())
}
