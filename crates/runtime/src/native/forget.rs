//! The end of a box's directory: home and logs, whatever a box may have built in there.
//!
//! Every step is relative to a descriptor and follows no link. A tree of any depth is taken down
//! with two open directories: what lies deep is moved up and dealt with in the next round.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
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
fn destroy(parent: &Path, name: &str) -> io::Result<()> {
    let name = CString::new(name)?;
    let parent = rustix::fs::open(parent, DIRECTORY, Mode::empty())?;
    let top = match open_dir(parent.as_fd(), &name) {
        Err(Errno::NOENT) => return Ok(()),
        other => other?,
    };
    let mut moved = 0_u64;
    loop {
        let mut found = false;
        for entry in names(&top)? {
            found = true;
            if !unlink(top.as_fd(), &entry)? {
                flatten(&top, &entry, &mut moved)?;
            }
        }
        if !found {
            break;
        }
    }
    Ok(rustix::fs::unlinkat(parent, &name, AtFlags::REMOVEDIR)?)
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Empties the directory `name` of `top`, moving directories in it up to `top`, and removes it.
fn flatten(top: &OwnedFd, name: &CString, moved: &mut u64) -> io::Result<()> {
    let dir = open_dir(top.as_fd(), name)?;
    for entry in names(&dir)? {
        if unlink(dir.as_fd(), &entry)? {
            continue;
        }
        // A directory that is moved has its `..` written, so it must be ours to write.
        drop(open_dir(dir.as_fd(), &entry)?);
        loop {
            *moved += 1;
            let free = CString::new(format!("{GONE}{moved}"))?;
            match rustix::fs::renameat_with(&dir, &entry, top, &free, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => {}
                result => break result?,
            }
        }
    }
    Ok(rustix::fs::unlinkat(top, name, AtFlags::REMOVEDIR)?)
}

/// Removes what is not a directory; `false` for one.
fn unlink(dir: impl AsFd, name: &CString) -> io::Result<bool> {
    match rustix::fs::unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::ISDIR | Errno::PERM) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Opens a directory, giving ourselves the right to it first if need be.
fn open_dir(at: impl AsFd, name: &CString) -> rustix::io::Result<OwnedFd> {
    let path = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = rustix::fs::openat(&at, name, path, Mode::empty())?;
    let by_handle = format!("/proc/self/fd/{}", handle.as_raw_fd());
    // If it fails, opening says why.
    let _ = fs::set_permissions(by_handle, fs::Permissions::from_mode(0o700));
    rustix::fs::openat(&handle, c".", DIRECTORY, Mode::empty())
}

fn names(dir: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        if entry.file_name() != c"." && entry.file_name() != c".." {
            names.push(entry.file_name().to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_tree_is_removed_and_nothing_outside_it() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "x").unwrap();
        let home = dir.path().join("box");
        fs::create_dir(&home).unwrap();
        std::os::unix::fs::symlink(&outside, home.join("link")).unwrap();
        std::os::unix::fs::symlink("/", home.join("root")).unwrap();
        fs::create_dir(home.join(".gone-1")).unwrap();
        // Deeper than a path can be long or descriptors can be many.
        let mut at = rustix::fs::open(&home, DIRECTORY, Mode::empty()).unwrap();
        for level in 0..1200 {
            let name = format!("directory-with-a-long-name-{level}");
            rustix::fs::mkdirat(&at, &name, Mode::RWXU).unwrap();
            std::os::unix::fs::symlink("/etc", format!("/proc/self/fd/{}/e", at.as_raw_fd()))
                .unwrap();
            at = rustix::fs::openat(&at, &name, DIRECTORY, Mode::empty()).unwrap();
        }
        fs::create_dir(home.join("shut")).unwrap();
        fs::create_dir(home.join("shut/inner")).unwrap();
        fs::set_permissions(home.join("shut/inner"), fs::Permissions::from_mode(0o0)).unwrap();
        fs::set_permissions(home.join("shut"), fs::Permissions::from_mode(0o0)).unwrap();
        destroy(dir.path(), "box").unwrap();
        assert!(!home.exists());
        assert!(outside.join("kept").exists());
        destroy(dir.path(), "box").unwrap();
    }
}
