//! Where files are while they come, and trees while they go: `.smartbox/incoming` in the home.
//!
//! A name there is a work in progress or the rest of one that was cut off. Which of the two it is,
//! its lock says: whoever works on a file holds a lock on it, which ends with the process.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, Dir, FlockOperation, Mode, OFlags, flock, fstat, mkdirat, openat, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::beneath::{DIRECTORY, PRIVATE};
use crate::destroy::remove_tree;
use crate::{Fault, Home};

const DIRECTORIES: [&std::ffi::CStr; 2] = [c".smartbox", c"incoming"];
/// Rests that are looked at in one go: a box may have made any number of names there.
const RESTS: usize = 1000;

/// The directory, made if it is not there. A link in its place is not followed.
pub(crate) fn open(home: BorrowedFd<'_>) -> Result<OwnedFd, Fault> {
    let mut at: Option<OwnedFd> = None;
    for name in DIRECTORIES {
        let from = at.as_ref().map_or(home, AsFd::as_fd);
        match mkdirat(from, name, PRIVATE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(other) => return Err(other.into()),
        }
        let next = child(from, name)?;
        at = Some(next);
    }
    at.ok_or(Fault::Absent)
}

fn child(at: BorrowedFd<'_>, name: &std::ffi::CStr) -> Result<OwnedFd, Fault> {
    let flags = DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, name, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::LOOP | Errno::NOTDIR => {
            Fault::Bad("`.smartbox/incoming` in the home is no directory")
        }
        other => other.into(),
    })
}

/// A name that nobody else has.
pub(crate) fn fresh() -> Result<String, Fault> {
    let mut random = [0; 12];
    getrandom(&mut random, GetRandomFlags::empty())?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A new file there, locked.
pub(crate) fn create(staging: BorrowedFd<'_>) -> Result<(File, String), Fault> {
    for _ in 0..16 {
        let name = fresh()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = match openat(staging, name.as_str(), flags, Mode::RUSR | Mode::WUSR) {
            Err(Errno::EXIST) => continue,
            other => other?,
        };
        // Somebody who tidies up may have taken it for a rest before it was locked.
        let locked = flock(&fd, FlockOperation::NonBlockingLockExclusive).is_ok();
        if locked && is(staging, name.as_bytes(), &fd) {
            return Ok((fd.into(), name));
        }
    }
    Err(Fault::System(Errno::AGAIN))
}

/// Whether this name is still this file.
pub(crate) fn is(dir: BorrowedFd<'_>, name: &[u8], fd: impl AsFd) -> bool {
    match (statat(dir, name, AtFlags::SYMLINK_NOFOLLOW), fstat(fd)) {
        (Ok(there), Ok(ours)) => (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino),
        _ => false,
    }
}

/// Removes the rests of work that was cut off.
pub(crate) fn sweep(staging: BorrowedFd<'_>) -> Result<usize, Fault> {
    let mut names = Vec::new();
    for entry in Dir::read_from(staging)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            names.push(name.to_owned());
        }
        if names.len() >= RESTS {
            break;
        }
    }
    let mut removed = 0;
    for name in names {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let busy = match openat(staging, &name, flags, Mode::empty()) {
            Ok(fd) => flock(&fd, FlockOperation::NonBlockingLockExclusive).is_err(),
            // A link, a socket, a file that nobody may read: none of them is a file of ours.
            Err(_) => false,
        };
        let gone = !busy
            && match unlinkat(staging, &name, AtFlags::empty()) {
                Err(Errno::ISDIR | Errno::PERM) => remove_tree(staging, &name).is_ok(),
                result => result.is_ok(),
            };
        removed += usize::from(gone);
    }
    Ok(removed)
}

impl Home {
    /// Removes the rests of uploads and removals that were cut off. Makes nothing.
    pub fn sweep(&self) -> Result<usize, Fault> {
        let inner = match child(self.fd(), DIRECTORIES[0]) {
            Err(Fault::Absent) => return Ok(0),
            other => other?,
        };
        match child(inner.as_fd(), DIRECTORIES[1]) {
            Err(Fault::Absent) => Ok(0),
            other => sweep(other?.as_fd()),
        }
    }
}
