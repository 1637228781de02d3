//! How much a home holds, and whose it is. The tree may change and be hostile meanwhile: links are
//! not followed, other file systems not entered, and what cannot be reached counts as too much.

use std::collections::HashSet;
use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

/// What a file costs beyond its blocks, so that empty ones are not free.
const PER_FILE: u64 = 512;

/// Bytes of everything under `home`; `u64::MAX` if parts of it lie beyond the longest path.
pub(super) fn measure(home: &Path) -> io::Result<u64> {
    let mut sum = 0_u64;
    let mut linked = HashSet::new();
    let whole = walk(home, &mut |_, _, stat| {
        if stat.st_nlink < 2 || is_dir(stat) || linked.insert(stat.st_ino) {
            let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
            sum = sum.saturating_add(blocks * 512 + PER_FILE);
        }
        Ok(())
    })?;
    Ok(if whole { sum } else { u64::MAX })
}

/// Gives a home and everything in it to its box's user, if the home has another owner (the
/// platform ran under another user before, or boxes had other uids). `false` if parts of it lie beyond
/// the longest path and keep the owner that they have.
pub(super) fn give(home: &Path, uid: u32, gid: u32) -> io::Result<bool> {
    let stat = rustix::fs::lstat(home)?;
    if (stat.st_uid, stat.st_gid) == (uid, gid) {
        return Ok(true);
    }
    let (owner, group) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    let whole = walk(home, &mut |dir, name, _| {
        rustix::fs::chownat(dir, name, owner, group, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(())
    })?;
    // Last, so that a run that was cut off is repeated.
    std::os::unix::fs::lchown(home, Some(uid), Some(gid))?;
    Ok(whole)
}

type Visit<'a> = &'a mut dyn FnMut(BorrowedFd<'_>, &CStr, &Stat) -> io::Result<()>;

/// Visits everything under `home` by its directory and name; `false` if parts of it lie beyond
/// the longest path.
fn walk(home: &Path, visit: Visit<'_>) -> io::Result<bool> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = rustix::fs::open(home, flags, Mode::empty())?;
    let device = rustix::fs::fstat(&root)?.st_dev;
    let mut whole = true;
    let mut next = vec![PathBuf::from(".")];
    while let Some(path) = next.pop() {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        let dir = match rustix::fs::openat2(&root, &path, flags, Mode::empty(), resolve) {
            Ok(dir) => dir,
            Err(Errno::NAMETOOLONG) => {
                whole = false;
                continue;
            }
            // Gone or changed since its name was read, or shut against its owner.
            Err(_) => continue,
        };
        for entry in Dir::read_from(&dir)? {
            let Ok(entry) = entry else { break };
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let Ok(stat) = rustix::fs::statat(dir.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if stat.st_dev != device {
                continue;
            }
            visit(dir.as_fd(), name, &stat)?;
            if is_dir(&stat) {
                next.push(path.join(OsStr::from_bytes(name.to_bytes())));
            }
        }
    }
    Ok(whole)
}

fn is_dir(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn links_are_counted_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        fs::create_dir(&home).unwrap();
        fs::write(dir.path().join("big"), vec![1; 4 << 20]).unwrap();
        std::os::unix::fs::symlink("../big", home.join("link")).unwrap();
        std::os::unix::fs::symlink("/", home.join("root")).unwrap();
        assert!(measure(&home).unwrap() < 64 << 10);
        fs::write(home.join("own"), vec![1; 1 << 20]).unwrap();
        fs::hard_link(home.join("own"), home.join("same")).unwrap();
        let sum = measure(&home).unwrap();
        assert!((1 << 20..(1 << 20) + (64 << 10)).contains(&sum), "{sum}");
    }

    #[test]
    fn a_home_changes_hands_whole_and_nothing_outside_it() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        fs::create_dir_all(home.join("a/b")).unwrap();
        fs::write(home.join("a/b/file"), "x").unwrap();
        fs::write(dir.path().join("outside"), "x").unwrap();
        std::os::unix::fs::symlink("../../outside", home.join("a/link")).unwrap();
        let own = fs::metadata(dir.path()).unwrap();
        let (uid, gid) = (std::os::unix::fs::MetadataExt::uid(&own), 4711);
        if uid != 0 {
            return;
        }
        give(&home, 4711, gid).unwrap();
        let owner =
            |path: &Path| std::os::unix::fs::MetadataExt::uid(&path.symlink_metadata().unwrap());
        for path in ["", "a", "a/b", "a/b/file", "a/link"] {
            assert_eq!(owner(&home.join(path)), 4711, "{path}");
        }
        assert_eq!(owner(&dir.path().join("outside")), 0);
    }

    #[test]
    fn what_lies_too_deep_counts_as_too_much() {
        let dir = tempfile::tempdir().unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut at = rustix::fs::open(dir.path(), flags, Mode::empty()).unwrap();
        let name = "n".repeat(200);
        for _ in 0..30 {
            rustix::fs::mkdirat(&at, &name, Mode::RWXU).unwrap();
            at = rustix::fs::openat(&at, &name, flags, Mode::empty()).unwrap();
        }
        assert_eq!(measure(dir.path()).unwrap(), u64::MAX);
    }
}
