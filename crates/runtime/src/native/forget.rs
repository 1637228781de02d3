//! The end of a box's directory: home and logs, whatever a box may have built in there.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::RuntimeError;
use smartbox_core::sandbox::{LogPage, Phase};

use super::error::{blocking, broken_by};
use super::{Inner, guard, observe};

/// What a directory is called between its end and its disappearance.
const GONE: &str = ".gone-";

pub(super) async fn forget(inner: &Inner, id: &SmartboxId) -> Result<LogPage, RuntimeError> {
    let doing = "forgetting the box";
    let lock = inner.lock(id);
    let _one = lock.lock().await;
    if observe::observe(inner, id).await?.phase != Phase::Absent {
        return Err(broken_by(doing, "its sandbox is still there"));
    }
    let (dir, boxes) = (inner.dir(id).path().to_owned(), inner.config.data_dir.join("boxes"));
    let gone = format!("{GONE}{id}");
    blocking(doing, move || {
        // A rest from an attempt that was cut off comes first: the name must be free.
        destroy(&boxes, &gone)?;
        match fs::rename(&dir, boxes.join(&gone)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e),
            Ok(()) => destroy(&boxes, &gone),
        }
    })
    .await?;
    guard(&inner.known).remove(id);
    guard(&inner.watch).remove(id);
    guard(&inner.measured).remove(id);
    guard(&inner.homes).remove(id);
    guard(&inner.staged).remove(id);
    Ok(LogPage::default())
}

/// Finishes what a killed control plane began.
pub(super) fn sweep(boxes: &Path) {
    let Ok(entries) = fs::read_dir(boxes) else { return };
    for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        if name.starts_with(GONE)
            && let Err(error) = destroy(boxes, &name)
        {
            tracing::warn!(%error, name, "a removed box's directory cannot be deleted");
        }
    }
}

/// Removes the directory `name` of `parent` with everything in it. Absent is fine.
pub(super) fn destroy(parent: &Path, name: &str) -> io::Result<()> {
    let name = CString::new(name)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let parent = rustix::fs::open(parent, flags, Mode::empty())?;
    smartbox_home::destroy(parent.as_fd(), &name).map_err(|fault| match fault {
        smartbox_home::Fault::System(errno) => errno.into(),
        other => io::Error::other(other),
    })
}
