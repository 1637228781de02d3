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
/// What a home with more files than are walked through is said to hold.
pub(super) const ENDLESS: u64 = u64::MAX - 1;

/// How far a walk goes, so that neither its time nor its memory is for the box to say. Snapshots end at a
/// million files.
#[derive(Clone, Copy)]
struct Bounds {
    /// Files and directories.
    entries: usize,
    /// Bytes of the paths of directories that are still to be entered.
    pending: usize,
    /// Files with several names that are remembered; others count once for each name.
    linked: usize,
}

const MEASURED: Bounds = Bounds { entries: 2_000_000, pending: 32 << 20, linked: 1_000_000 };
/// Of what the platform hands over, all has to be.
const GIVEN: Bounds = Bounds { entries: usize::MAX, pending: usize::MAX, linked: 0 };

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Walked {
    Whole,
    /// Parts of it lie beyond the longest path.
    Deep,
    /// There is more than it goes.
    Endless,
}

/// Bytes of everything under `home`; `u64::MAX` if parts of it lie beyond the longest path, [`ENDLESS`]
/// if there is more than anybody has.
pub(super) fn measure(home: &Path) -> io::Result<u64> {
    measure_within(home, MEASURED)
}

fn measure_within(home: &Path, bounds: Bounds) -> io::Result<u64> {
    let mut sum = 0_u64;
    let mut linked = HashSet::new();
    let walked = walk(home, bounds, &mut |_, _, stat| {
        let known = stat.st_nlink >= 2 && !is_dir(stat) && linked.contains(&stat.st_ino);
        if stat.st_nlink >= 2 && !is_dir(stat) && linked.len() < bounds.linked {
            linked.insert(stat.st_ino);
        }
        if !known {
            let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
            sum = sum.saturating_add(blocks * 512 + PER_FILE);
        }
        Ok(())
    })?;
    Ok(match walked {
        Walked::Whole => sum,
        Walked::Deep => u64::MAX,
        Walked::Endless => ENDLESS,
    })
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
    let walked = walk(home, GIVEN, &mut |dir, name, _| {
        rustix::fs::chownat(dir, name, owner, group, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(())
    })?;
    // Last, so that a run that was cut off is repeated.
    std::os::unix::fs::lchown(home, Some(uid), Some(gid))?;
    Ok(walked == Walked::Whole)
}

type Visit<'a> = &'a mut dyn FnMut(BorrowedFd<'_>, &CStr, &Stat) -> io::Result<()>;

/// Visits everything under `home` by its directory and name.
fn walk(home: &Path, bounds: Bounds, visit: Visit<'_>) -> io::Result<Walked> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = rustix::fs::open(home, flags, Mode::empty())?;
    let device = rustix::fs::fstat(&root)?.st_dev;
    let mut walked = Walked::Whole;
    let (mut seen, mut pending) = (0, 0);
    let mut next = vec![PathBuf::from(".")];
    while let Some(path) = next.pop() {
        pending -= cost(&path).min(pending);
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        let dir = match rustix::fs::openat2(&root, &path, flags, Mode::empty(), resolve) {
            Ok(dir) => dir,
            Err(Errno::NAMETOOLONG) => {
                walked = Walked::Deep;
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
            seen += 1;
            if seen > bounds.entries || pending > bounds.pending {
                return Ok(Walked::Endless);
            }
            visit(dir.as_fd(), name, &stat)?;
            if is_dir(&stat) {
                let path = path.join(OsStr::from_bytes(name.to_bytes()));
                pending += cost(&path);
                next.push(path);
            }
        }
    }
    Ok(walked)
}

/// Bytes that a path takes while it waits.
fn cost(path: &Path) -> usize {
    path.as_os_str().len() + size_of::<PathBuf>()
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
    fn a_walk_ends_however_many_files_and_directories_there_are() {
        let dir = tempfile::tempdir().unwrap();
        let usual = Bounds { entries: 100, pending: 10_000, linked: 100 };
        for n in 0..80 {
            fs::write(dir.path().join(format!("{n}")), "").unwrap();
        }
        assert!(measure_within(dir.path(), usual).unwrap() < ENDLESS);
        assert_eq!(measure_within(dir.path(), Bounds { entries: 79, ..usual }).unwrap(), ENDLESS);
        // Each directory that waits takes its whole path.
        let deep = dir.path().join("d".repeat(200));
        for n in 0..10 {
            fs::create_dir_all(deep.join(format!("{n}"))).unwrap();
        }
        assert!(measure_within(dir.path(), usual).unwrap() < ENDLESS);
        assert_eq!(measure_within(dir.path(), Bounds { pending: 999, ..usual }).unwrap(), ENDLESS);
        // What is not remembered counts for each name: too much, never too little.
        let twice = tempfile::tempdir().unwrap();
        fs::write(twice.path().join("a"), vec![1; 1 << 20]).unwrap();
        fs::hard_link(twice.path().join("a"), twice.path().join("b")).unwrap();
        let once = measure_within(twice.path(), usual).unwrap();
        let each = measure_within(twice.path(), Bounds { linked: 0, ..usual }).unwrap();
        assert!(once < 2 << 20 && each >= 2 << 20, "{once} {each}");
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
