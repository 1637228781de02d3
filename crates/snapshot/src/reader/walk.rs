//! Goes through a home, step by step from open directories, and follows nothing.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::copy::own;
use super::enter::{View, directory as flags};
use super::insist::insist;
use super::wire::{End, Found, Kind, Looks, Time};
use crate::exclude::Excludes;

/// Deeper ones are not read: each level is an open descriptor.
const DEPTH: usize = 128;

/// How often a name is looked at that keeps becoming something else.
const LOOKS: usize = 16;

/// How a database begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

struct Level {
    directory: OwnedFd,
    path: PathBuf,
    /// Names that are still to be visited, last first.
    names: Vec<OsString>,
}

pub(super) struct Walk<'a> {
    view: &'a View,
    excludes: &'a Excludes,
    since: Time,
    levels: Vec<Level>,
    end: End,
}

impl<'a> Walk<'a> {
    pub(super) fn new(view: &'a View, excludes: &'a Excludes, since: Time) -> Self {
        Self { view, excludes, since, levels: Vec::new(), end: End::default() }
    }

    /// Tells of each thing in turn. What cannot be looked at is noted, and the walk goes on.
    pub(super) fn go(mut self, tell: &mut dyn FnMut(Found) -> io::Result<()>) -> io::Result<End> {
        if let Err(errno) = self.descend(&self.view.home, PathBuf::new()) {
            self.hole(b".", errno);
        }
        while let Some(level) = self.levels.last_mut() {
            let Some(name) = level.names.pop() else {
                self.levels.pop();
                continue;
            };
            let path = level.path.join(&name);
            if self.excludes.matches(&path) {
                continue;
            }
            let depth = u16::try_from(self.levels.len() - 1).unwrap_or(u16::MAX);
            match self.visit(&name, &path, depth, tell)? {
                // Gone since its directory was read: as if it had gone before.
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => self.hole(path.as_os_str().as_bytes(), errno),
            }
        }
        Ok(self.end)
    }

    fn hole(&mut self, path: &[u8], errno: Errno) {
        if self.end.hole.is_none() {
            self.end.hole = Some((path.to_vec(), errno.raw_os_error()));
        }
    }

    fn descend(&mut self, directory: impl AsFd, path: PathBuf) -> Result<(), Errno> {
        if self.levels.len() >= DEPTH {
            return Err(Errno::MFILE);
        }
        let may = self.view.insists;
        let directory = insist(may, || openat(&directory, c".", flags(), Mode::empty()))?;
        let mut names = Vec::new();
        for entry in insist(may, || Dir::read_from(&directory))? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name.to_vec()));
            }
        }
        names.sort_unstable_by(|a, b| b.cmp(a));
        self.levels.push(Level { directory, path, names });
        Ok(())
    }

    /// Looks at a name, without opening what is none of ours: neither a pipe nor a device notices.
    fn visit(
        &mut self,
        name: &OsStr,
        path: &std::path::Path,
        depth: u16,
        tell: &mut dyn FnMut(Found) -> io::Result<()>,
    ) -> io::Result<Result<(), Errno>> {
        let mut found = |kind, stat: &Stat, database| {
            let name = name.as_bytes().to_vec();
            tell(Found { depth, name, kind, stat: looks(stat), database })
        };
        // What it is can become another thing between the two looks; a box that stands still has none.
        for _ in 0..LOOKS {
            let Some(level) = self.levels.last() else { return Ok(Ok(())) };
            let (at, view) = (&level.directory, self.view);
            let look = || statat(at, name, AtFlags::SYMLINK_NOFOLLOW);
            let stat = match insist(view.insists, look) {
                Ok(stat) => stat,
                Err(errno) => return Ok(Err(errno)),
            };
            match FileType::from_raw_mode(stat.st_mode) {
                // Something mounted there is not of the home.
                _ if stat.st_dev != self.view.device => self.end.left_out += 1,
                FileType::Directory => match open(view, at, name, flags()) {
                    Ok(fd) => match fstat(&fd) {
                        Ok(stat) if stat.st_dev != self.view.device => self.end.left_out += 1,
                        Ok(stat) => {
                            found(Kind::Directory, &stat, false)?;
                            return Ok(self.descend(fd, path.to_owned()));
                        }
                        Err(errno) => return Ok(Err(errno)),
                    },
                    Err(Errno::NOTDIR | Errno::LOOP) => continue,
                    Err(errno) => return Ok(Err(errno)),
                },
                FileType::Symlink => {
                    match insist(view.insists, || readlinkat(at, name, Vec::new())) {
                        Ok(target) => found(Kind::Link(target.into_bytes()), &stat, false)?,
                        Err(Errno::INVAL) => continue,
                        Err(errno) => return Ok(Err(errno)),
                    }
                }
                FileType::RegularFile => {
                    let database = time(&stat) >= self.since && begins(view, at, name, &stat);
                    found(Kind::File, &stat, database)?;
                }
                _ => self.end.left_out += 1,
            }
            return Ok(Ok(()));
        }
        Ok(Err(Errno::AGAIN))
    }
}

/// Opens what is the box's own, or what anybody may open.
fn open(view: &View, at: &OwnedFd, name: &OsStr, how: OFlags) -> Result<OwnedFd, Errno> {
    let open = || openat(at, name, how, Mode::empty());
    match open() {
        Err(Errno::ACCESS) => insist(view.insists, open).and_then(|fd| own(view, fd)),
        other => other,
    }
}

/// Whether a file begins like a database.
fn begins(view: &View, directory: &OwnedFd, name: &OsStr, stat: &Stat) -> bool {
    let mut head = [0; MAGIC.len()];
    // Not to wait for anybody, should it have become a pipe.
    let how =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    stat.st_size >= 512
        && open(view, directory, name, how)
            .is_ok_and(|file| rustix::io::pread(&file, &mut head, 0) == Ok(head.len()))
        && head == *MAGIC
}

fn time(stat: &Stat) -> Time {
    Time(stat.st_ctime, u32::try_from(stat.st_ctime_nsec).unwrap_or(0))
}

pub(crate) fn looks(stat: &Stat) -> Looks {
    Looks {
        mode: stat.st_mode,
        uid: stat.st_uid,
        gid: stat.st_gid,
        links: wide(stat.st_nlink),
        size: u64::try_from(stat.st_size).unwrap_or(0),
        inode: stat.st_ino,
        mtime: Time(stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0)),
        ctime: time(stat),
    }
}

/// Its width is another one on each processor.
fn wide(links: impl Into<u64>) -> u64 {
    links.into()
}
