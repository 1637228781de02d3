//! How much a home holds. The tree may change and be hostile while it is measured: links are not
//! followed, other file systems not entered, and what cannot be reached counts as too much.

use std::collections::HashSet;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// What a file costs beyond its blocks, so that empty ones are not free.
const PER_FILE: u64 = 512;

/// Bytes of everything under `home`; `u64::MAX` if parts of it lie beyond the longest path.
pub(super) fn measure(home: &Path) -> io::Result<u64> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = rustix::fs::open(home, flags, Mode::empty())?;
    let device = rustix::fs::fstat(&root)?.st_dev;
    let mut sum = 0_u64;
    let mut linked = HashSet::new();
    let mut next = vec![PathBuf::from(".")];
    while let Some(path) = next.pop() {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        let dir = match rustix::fs::openat2(&root, &path, flags, Mode::empty(), resolve) {
            Ok(dir) => dir,
            Err(Errno::NAMETOOLONG) => return Ok(u64::MAX),
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
            if stat.st_dev != device
                || (stat.st_nlink > 1 && is_file(&stat) && !linked.insert(stat.st_ino))
            {
                continue;
            }
            let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
            sum = sum.saturating_add(blocks * 512 + PER_FILE);
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                next.push(path.join(std::ffi::OsStr::from_bytes(name.to_bytes())));
            }
        }
    }
    Ok(sum)
}

fn is_file(stat: &rustix::fs::Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) != FileType::Directory
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
