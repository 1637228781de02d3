//! Reads a home for a snapshot. The box that owns it is hostile and may be running: every step is made
//! from an open directory, no link is followed, and what is read is the very file that was looked at.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{Metadata, Node, NodeType};
use rustic_core::{ErrorKind, ReadSource, ReadSourceEntry, RusticError, RusticResult};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};
use rustix::io::Errno;
use smartbox_core::snapshot::port::SnapshotError;

use crate::exclude::Excludes;
use crate::gate::Gate;

/// Deeper ones are not read: each level is an open descriptor.
const DEPTH: usize = 128;

/// A file that changed so shortly before it was read may change once more within the same tick of the
/// kernel's clock, and would look the same to the next snapshot.
const TICK_SECONDS: i64 = 2;

/// What the kernel's file type is in the words of Go, which are the format's.
const GO_DIRECTORY: u32 = 1 << 31;
const GO_LINK: u32 = 1 << 27;
const GO_STICKY: u32 = 1 << 20;

impl Reading {
    /// A time long ago that is of this reading alone.
    fn never(self) -> Timestamp {
        let back = i64::try_from(self.number).unwrap_or(i64::MAX).saturating_add(1);
        Timestamp::new(back.saturating_neg(), 0).unwrap_or(Timestamp::MIN)
    }
}

/// A home to be read.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    root: Arc<OwnedFd>,
    device: u64,
    excludes: Excludes,
    gate: Gate,
    left_out: Arc<AtomicU64>,
    reading: Reading,
}

/// One reading of a home, told apart from every other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Seconds since the epoch at which it began.
    pub(crate) now: i64,
    /// Its number; no other reading of the same home has it.
    pub(crate) number: u64,
}

impl Home {
    pub(crate) fn open(
        path: &Path,
        excludes: Excludes,
        gate: Gate,
        reading: Reading,
    ) -> Result<Self, SnapshotError> {
        let open = || {
            let root = openat(CWD, path, directory(), Mode::empty())?;
            Ok((fstat(&root)?.st_dev, root))
        };
        let (device, root) = open().map_err(|errno: Errno| hole(Path::new("."), errno))?;
        Ok(Self { root: Arc::new(root), device, excludes, gate, left_out: Arc::default(), reading })
    }

    /// Pipes, sockets and devices so far.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }
}

impl ReadSource for Home {
    type Open = Contents;
    type Iter = Walk;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(None)
    }

    fn entries(&self) -> Walk {
        Walk { home: self.clone(), levels: Vec::new(), begun: false }
    }
}

/// A directory on the way.
struct Level {
    directory: OwnedFd,
    path: PathBuf,
    /// Names that are still to be visited, last first.
    names: Vec<OsString>,
}

/// Goes through a home, directories before what is in them, names in the order of their bytes.
pub(crate) struct Walk {
    home: Home,
    levels: Vec<Level>,
    begun: bool,
}

impl Iterator for Walk {
    type Item = RusticResult<ReadSourceEntry<Contents>>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.begun {
            self.begun = true;
            if let Err(errno) = self.descend(self.home.root.clone(), PathBuf::new()) {
                return self.stop(Path::new("."), errno);
            }
        }
        // Once anything failed, there will be no snapshot: the rest need not be read.
        while self.home.gate.is_open() {
            let level = self.levels.last_mut()?;
            let Some(name) = level.names.pop() else {
                self.levels.pop();
                continue;
            };
            let path = level.path.join(&name);
            if self.home.excludes.matches(&path) {
                continue;
            }
            match self.visit(&name, path.clone()) {
                Ok(Some(entry)) => return Some(Ok(entry)),
                // Gone since its directory was read: as if it had gone before.
                Ok(None) | Err(Errno::NOENT) => {}
                Err(errno) => return self.stop(&path, errno),
            }
        }
        None
    }
}

impl Walk {
    fn descend(&mut self, from: impl AsFd, path: PathBuf) -> Result<(), Errno> {
        if self.levels.len() >= DEPTH {
            return Err(Errno::MFILE);
        }
        let directory = openat(&from, c".", directory(), Mode::empty())?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&directory)? {
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

    /// Looks at a name. It is opened as a place only: neither a pipe nor a device notices.
    fn visit(
        &mut self,
        name: &OsStr,
        path: PathBuf,
    ) -> Result<Option<ReadSourceEntry<Contents>>, Errno> {
        let Some(level) = self.levels.last() else { return Ok(None) };
        let place = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(&level.directory, name, place, Mode::empty())?;
        let stat = fstat(&fd)?;
        let mut open = None;
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            // Something mounted there is not of the home.
            _ if stat.st_dev != self.home.device => {
                self.home.left_out.fetch_add(1, Ordering::Relaxed);
                return Ok(None);
            }
            FileType::Directory => {
                self.descend(&fd, path.clone())?;
                NodeType::Dir
            }
            FileType::Symlink => {
                let target = readlinkat(&fd, c"", Vec::new())?;
                NodeType::from_link(Path::new(OsStr::from_bytes(target.as_bytes())))
            }
            FileType::RegularFile => {
                let left = u64::try_from(stat.st_size).unwrap_or(0);
                let gate = self.home.gate.clone();
                open = Some(Contents { place: fd, path: path.clone(), left, gate, file: None });
                NodeType::File
            }
            _ => {
                self.home.left_out.fetch_add(1, Ordering::Relaxed);
                return Ok(None);
            }
        };
        let node = Node::new_node(name, kind, self.metadata(&stat));
        Ok(Some(ReadSourceEntry { path, node, open }))
    }

    fn metadata(&self, stat: &Stat) -> Metadata {
        let kind = FileType::from_raw_mode(stat.st_mode);
        let file = kind == FileType::RegularFile;
        let linked = file && stat.st_nlink > 1;
        // Without set-user and set-group: restored by root, the file would be root's.
        let mut mode = stat.st_mode & 0o777;
        match kind {
            FileType::Directory => {
                mode |= GO_DIRECTORY;
                if stat.st_mode & 0o1000 != 0 {
                    mode |= GO_STICKY;
                }
            }
            FileType::Symlink => mode |= GO_LINK,
            _ => {}
        }
        let mtime = time(stat.st_mtime, stat.st_mtime_nsec);
        let settled = stat.st_ctime < self.home.reading.now.saturating_sub(TICK_SECONDS);
        let ctime = time(stat.st_ctime, stat.st_ctime_nsec).filter(|_| settled);
        Metadata {
            mode: Some(mode),
            mtime,
            atime: mtime,
            // One that no file has and no other reading gives, so that the next one reads it again; none at
            // all would match any.
            ctime: Some(ctime.unwrap_or_else(|| self.home.reading.never())),
            uid: Some(stat.st_uid),
            gid: Some(stat.st_gid),
            inode: stat.st_ino,
            device_id: if linked { stat.st_dev } else { 0 },
            size: if file { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 },
            links: if kind == FileType::Directory { 0 } else { wide(stat.st_nlink) },
            ..Metadata::default()
        }
    }

    fn stop(&self, path: &Path, errno: Errno) -> Option<<Self as Iterator>::Item> {
        self.home.gate.shut(hole(path, errno));
        let text = format!("{}: {errno}", path.display());
        Some(Err(RusticError::new(ErrorKind::InputOutput, text)))
    }
}

/// A regular file's contents: as many bytes as it had when it was looked at. A log that grows meanwhile
/// ends there; one that shrank is a hole.
#[derive(Debug)]
pub(crate) struct Contents {
    place: OwnedFd,
    path: PathBuf,
    left: u64,
    gate: Gate,
    file: Option<File>,
}

impl Contents {
    fn try_read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || out.is_empty() {
            return Ok(0);
        }
        let file = match &mut self.file {
            Some(file) => file,
            // The file of the place, whatever its name means meanwhile. That it is a regular one is known.
            none => none.insert(File::open(format!("/proc/self/fd/{}", self.place.as_raw_fd()))?),
        };
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        let got = file.read(&mut out[..most])?;
        if got == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has become shorter"));
        }
        self.left -= got as u64;
        Ok(got)
    }
}

impl Read for Contents {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.try_read(out).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                let source = io::Error::new(error.kind(), error.to_string());
                self.gate.shut(hole(&self.path, source));
            }
        })
    }
}

fn directory() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

fn hole(path: &Path, source: impl Into<io::Error>) -> SnapshotError {
    let path = path.display().to_string().chars().take(200).collect();
    SnapshotError::Hole { path, source: source.into().into() }
}

/// Its width is another one on each processor.
fn wide(links: impl Into<u64>) -> u64 {
    links.into()
}

fn time(seconds: i64, nanoseconds: impl TryInto<i32>) -> Option<Timestamp> {
    Timestamp::new(seconds, nanoseconds.try_into().unwrap_or(0)).ok()
}
