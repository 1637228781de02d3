//! Takes a tree down, whatever a box may have built in there.
//!
//! Every step is relative to a descriptor and follows no link. A tree of any depth is taken down
//! with two open directories: what lies deep is moved up and dealt with in the next round.

use std::ffi::{CStr, CString};
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::Fault;

/// What a directory is called after it was moved up.
const MOVED: &str = ".gone-";
/// Steps after which a tree that somebody writes to is given up.
const STEPS: u64 = 4 << 20;

/// Removes the directory `name` of `parent` with everything in it, while its owner may work against
/// it. Absent is fine.
pub fn remove_tree(parent: BorrowedFd<'_>, name: &CStr) -> Result<(), Fault> {
    Tree { left: STEPS, moved: 0 }.destroy(parent, name)
}

/// The same for a tree that nobody writes to any more, however large it is.
pub fn destroy(parent: BorrowedFd<'_>, name: &CStr) -> Result<(), Fault> {
    Tree { left: u64::MAX, moved: 0 }.destroy(parent, name)
}

const OPEN: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

struct Tree {
    left: u64,
    moved: u64,
}

impl Tree {
    fn destroy(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> Result<(), Fault> {
        let top = match open_dir(parent, name) {
            Err(Errno::NOENT) => return Ok(()),
            other => other?,
        };
        loop {
            let mut found = false;
            for entry in names(&top)? {
                found = true;
                self.step()?;
                if !unlink(top.as_fd(), &entry)? {
                    self.flatten(&top, &entry)?;
                }
            }
            if found {
                continue;
            }
            match rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => return Ok(()),
                // Somebody put something in just now.
                Err(Errno::NOTEMPTY | Errno::EXIST) => self.step()?,
                Err(other) => return Err(other.into()),
            }
        }
    }

    fn step(&mut self) -> Result<(), Fault> {
        self.left = self.left.checked_sub(1).ok_or(Fault::TooMuch)?;
        Ok(())
    }

    /// Empties the directory `name` of `top`, moving directories in it up to `top`, and removes it.
    fn flatten(&mut self, top: &OwnedFd, name: &CString) -> Result<(), Fault> {
        let dir = match open_dir(top.as_fd(), name) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(()),
            other => other?,
        };
        for entry in names(&dir)? {
            self.step()?;
            if unlink(dir.as_fd(), &entry)? {
                continue;
            }
            // A directory that is moved has its `..` written, so it must be ours to write.
            drop(open_dir(dir.as_fd(), &entry));
            loop {
                self.moved += 1;
                let free = CString::new(format!("{MOVED}{}", self.moved)).unwrap_or_default();
                match rustix::fs::renameat_with(&dir, &entry, top, &free, RenameFlags::NOREPLACE) {
                    Err(Errno::EXIST) => self.step()?,
                    Ok(()) | Err(Errno::NOENT) => break,
                    Err(other) => return Err(other.into()),
                }
            }
        }
        match rustix::fs::unlinkat(top, name, AtFlags::REMOVEDIR) {
            // Not empty again, or something else by now: the next round sees to it.
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Ok(()),
            Err(other) => Err(other.into()),
        }
    }
}

/// Removes what is not a directory; `false` for one.
fn unlink(dir: impl AsFd, name: &CString) -> Result<bool, Errno> {
    match rustix::fs::unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::ISDIR | Errno::PERM) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Opens a directory, giving ourselves the right to it first if need be.
fn open_dir(at: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let path = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = rustix::fs::openat(&at, name, path, Mode::empty())?;
    let by_handle = format!("/proc/self/fd/{}", handle.as_raw_fd());
    // If it fails, opening says why.
    let _ = fs::set_permissions(by_handle, fs::Permissions::from_mode(0o700));
    rustix::fs::openat(&handle, c".", OPEN, Mode::empty())
}

fn names(dir: &OwnedFd) -> Result<Vec<CString>, Errno> {
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
    fn whatever_a_box_built_is_removed_and_nothing_outside_it() {
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
        let mut at = rustix::fs::open(&home, OPEN, Mode::empty()).unwrap();
        for level in 0..1200 {
            let name = format!("directory-with-a-long-name-{level}");
            rustix::fs::mkdirat(&at, &name, Mode::RWXU).unwrap();
            std::os::unix::fs::symlink("/etc", format!("/proc/self/fd/{}/e", at.as_raw_fd()))
                .unwrap();
            at = rustix::fs::openat(&at, &name, OPEN, Mode::empty()).unwrap();
        }
        fs::create_dir(home.join("shut")).unwrap();
        fs::create_dir(home.join("shut/inner")).unwrap();
        fs::set_permissions(home.join("shut/inner"), fs::Permissions::from_mode(0o0)).unwrap();
        fs::set_permissions(home.join("shut"), fs::Permissions::from_mode(0o0)).unwrap();
        let parent = rustix::fs::open(dir.path(), OPEN, Mode::empty()).unwrap();
        destroy(parent.as_fd(), c"box").unwrap();
        assert!(!home.exists());
        assert!(outside.join("kept").exists());
        destroy(parent.as_fd(), c"box").unwrap();
    }
}
