//! Opens what lies beneath a directory and nothing else, whatever links the box has planted.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, ResolveFlags, mkdirat, openat, openat2};
use rustix::io::Errno;

use crate::path::Beneath;

/// Whether the kernel (or a filter) has no `openat2`; then every component is opened by itself and
/// no link is followed, not even one that stays beneath.
static WALK: OnceLock<bool> = OnceLock::new();

/// A directory to read names from.
pub(crate) const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);
/// A directory of our own making.
pub(crate) const PRIVATE: Mode = Mode::RWXU;

/// Opens a path beneath `home`.
pub(crate) fn open(home: BorrowedFd<'_>, path: &Beneath, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::CLOEXEC | OFlags::NOCTTY;
    let probe = || at_once(home, b".", DIRECTORY | OFlags::CLOEXEC);
    if *WALK.get_or_init(|| matches!(probe(), Err(Errno::NOSYS | Errno::PERM))) {
        walk(home, path, flags)
    } else {
        at_once(home, &path.join(), flags)
    }
}

/// Opens the directory that holds `path`; with `make`, making what is missing on the way.
pub(crate) fn open_parent(
    home: BorrowedFd<'_>,
    path: &Beneath,
    make: bool,
) -> Result<OwnedFd, Errno> {
    let parent = path.parent();
    match open(home, &parent, DIRECTORY) {
        Err(Errno::NOENT) if make => make_all(home, &parent),
        other => other,
    }
}

/// Opens a directory, making it and what is missing on the way.
pub(crate) fn make_all(home: BorrowedFd<'_>, path: &Beneath) -> Result<OwnedFd, Errno> {
    let mut at = open(home, &path.first(0), DIRECTORY)?;
    for end in 1..=path.names().len() {
        let prefix = path.first(end);
        at = match open(home, &prefix, DIRECTORY) {
            Err(Errno::NOENT) => {
                match mkdirat(&at, prefix.name(), PRIVATE) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(other) => return Err(other),
                }
                open(home, &prefix, DIRECTORY)?
            }
            other => other?,
        };
    }
    Ok(at)
}

fn at_once(home: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    for _ in 0..8 {
        // EAGAIN: something on the way was renamed meanwhile, which the box can keep up.
        match openat2(home, path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN) => {}
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

fn walk(home: BorrowedFd<'_>, path: &Beneath, flags: OFlags) -> Result<OwnedFd, Errno> {
    let step = DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Some((name, directories)) = path.names().split_last() else {
        return openat(home, c".", flags, Mode::empty());
    };
    let mut at: Option<OwnedFd> = None;
    for directory in directories {
        let from = at.as_ref().map_or(home, AsFd::as_fd);
        at = Some(openat(from, directory.as_slice(), step, Mode::empty())?);
    }
    let from = at.as_ref().map_or(home, AsFd::as_fd);
    openat(from, name.as_slice(), flags | OFlags::NOFOLLOW, Mode::empty())
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    type Open = fn(BorrowedFd<'_>, &Beneath, OFlags) -> Result<OwnedFd, Errno>;

    fn both(home: BorrowedFd<'_>, path: &str) -> [Result<String, Errno>; 2] {
        let ways: [Open; 2] = [|home, path, flags| at_once(home, &path.join(), flags), walk];
        ways.map(|way| {
            let path = Beneath::parse(path.as_bytes()).unwrap();
            let fd = way(home, &path, OFlags::RDONLY)?;
            let mut text = String::new();
            std::fs::File::from(fd).read_to_string(&mut text).map_err(|_| Errno::IO)?;
            Ok(text)
        })
    }

    #[test]
    fn links_that_lead_out_lead_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        std::fs::create_dir_all(home.join("a/b")).unwrap();
        std::fs::write(dir.path().join("secret"), "no").unwrap();
        std::fs::write(home.join("a/b/c"), "yes").unwrap();
        symlink(dir.path().join("secret"), home.join("absolute")).unwrap();
        symlink("../secret", home.join("up")).unwrap();
        symlink("..", home.join("parent")).unwrap();
        symlink("/proc/self/root", home.join("magic")).unwrap();
        symlink("b/c", home.join("a/inner")).unwrap();
        let fd = std::fs::File::open(&home).unwrap();
        let [once, walked] = both(fd.as_fd(), "a/b/c");
        assert_eq!((once.unwrap(), walked.unwrap()), ("yes".into(), "yes".into()));
        for path in ["absolute", "up", "parent/secret", "magic/etc/hostname"] {
            let [once, walked] = both(fd.as_fd(), path);
            assert!(once.is_err() && walked.is_err(), "{path}: {once:?} {walked:?}");
        }
        let [once, walked] = both(fd.as_fd(), "a/inner");
        assert_eq!(once.unwrap(), "yes");
        assert!(walked.is_err());
    }

    #[test]
    fn parents_are_made_beneath_only() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        std::fs::create_dir(&home).unwrap();
        symlink("..", home.join("out")).unwrap();
        let fd = std::fs::File::open(&home).unwrap();
        let parent = |path: &[u8]| open_parent(fd.as_fd(), &Beneath::parse(path).unwrap(), true);
        parent(b"x/y/z").unwrap();
        assert!(home.join("x/y").is_dir());
        assert!(parent(b"out/made/z").is_err());
        assert!(!dir.path().join("made").exists());
    }
}
