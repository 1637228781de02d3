//! A home as it is, to be compared with a snapshot: directory by directory, by descriptors, following
//! nothing. It is not read to be kept, so that what vanishes on the way is simply not there.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustic_core::repofile::Node;
use rustic_core::{BlobId, DataId};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, fstat, openat, readlinkat};
use rustix::io::Errno;
use smartbox_core::snapshot::port::SnapshotError;

use crate::exclude::Excludes;
use crate::shown::{Shown, is};

/// A home that is being looked at.
pub(crate) struct Found {
    home: PathBuf,
    device: u64,
    excludes: Excludes,
}

/// Something in it.
pub(crate) struct Thing {
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
}

/// What kind of thing.
pub(crate) enum Kind {
    Directory(OwnedFd),
    File(Regular),
    Link(Vec<u8>),
}

/// A file that was looked at and not opened.
pub(crate) struct Regular {
    place: OwnedFd,
    size: u64,
}

impl Found {
    pub(crate) fn open(home: &Path, exclude: &[String]) -> Result<Self, SnapshotError> {
        let excludes = Excludes::new(exclude)?;
        let stat = root(home).and_then(|root| fstat(&root)).map_err(|e| hole(b".", e))?;
        Ok(Self { home: home.to_owned(), device: stat.st_dev, excludes })
    }

    pub(crate) fn root(&self) -> Result<OwnedFd, SnapshotError> {
        root(&self.home).map_err(|error| hole(b".", error))
    }

    /// The names in a directory that are not left out.
    pub(crate) fn names(
        &self,
        directory: &OwnedFd,
        path: &[u8],
    ) -> Result<BTreeMap<Vec<u8>, ()>, SnapshotError> {
        let lift = |error: Errno| hole(path, error);
        let mut found = BTreeMap::new();
        for entry in Dir::read_from(directory).map_err(lift)? {
            let entry = entry.map_err(lift)?;
            let name = entry.file_name().to_bytes();
            let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
            let whole = [path, slash, name].concat();
            let out = self.excludes.matches(Path::new(OsStr::from_bytes(&whole)));
            if !matches!(name, b"." | b"..") && !out {
                found.insert(name.to_vec(), ());
            }
        }
        Ok(found)
    }

    /// What has this name in a directory; nothing if a snapshot would not have it.
    pub(crate) fn look(
        &self,
        directory: &OwnedFd,
        name: &[u8],
        path: &[u8],
    ) -> Result<Option<Thing>, SnapshotError> {
        match self.visit(directory, name) {
            // It went, or became something else, since its name was read.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            other => other.map_err(|error| hole(path, error)),
        }
    }

    fn visit(&self, directory: &OwnedFd, name: &[u8]) -> Result<Option<Thing>, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let place = openat(directory, name, flags, Mode::empty())?;
        let stat = fstat(&place)?;
        if stat.st_dev != self.device {
            return Ok(None);
        }
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Kind::Directory(enter(&place)?),
            FileType::Symlink => Kind::Link(readlinkat(&place, c"", Vec::new())?.into_bytes()),
            FileType::RegularFile => {
                let size = u64::try_from(stat.st_size).unwrap_or(0);
                Kind::File(Regular { place, size })
            }
            _ => return Ok(None),
        };
        // As a snapshot has them: without set-user, and sticky only on a directory.
        let sticky = if matches!(kind, Kind::Directory(_)) { 0o1000 } else { 0 };
        Ok(Some(Thing { kind, mode: stat.st_mode & (0o777 | sticky) }))
    }
}

impl Regular {
    /// Whether its contents are those of a file in a snapshot. It is read only if it is as long, and only
    /// up to the first piece that differs.
    pub(crate) fn is(
        &self,
        shown: &Shown,
        node: &Node,
        path: &[u8],
    ) -> Result<bool, SnapshotError> {
        if self.size != node.meta.size {
            return Ok(false);
        }
        let open = || File::open(format!("/proc/self/fd/{}", self.place.as_raw_fd()));
        let mut file = match open() {
            Ok(file) => file,
            Err(error) => return Err(hole(path, error)),
        };
        for id in node.content.iter().flatten() {
            match next(&mut file, *id, shown.length(*id)?) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                // It has become shorter meanwhile.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                Err(error) => return Err(hole(path, error)),
            }
        }
        Ok(true)
    }
}

/// Whether the next bytes of a file are a piece.
pub(crate) fn next(file: &mut File, id: DataId, length: u64) -> io::Result<bool> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_exact(&mut bytes)?;
    Ok(is(BlobId::from(id), &bytes))
}

fn root(home: &Path) -> Result<OwnedFd, Errno> {
    openat(CWD, home, directory(), Mode::empty())
}

fn enter(place: impl AsFd) -> Result<OwnedFd, Errno> {
    openat(place, c".", directory(), Mode::empty())
}

fn directory() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

fn hole(path: &[u8], source: impl Into<io::Error>) -> SnapshotError {
    let path = String::from_utf8_lossy(path).chars().take(200).collect();
    SnapshotError::Hole { path, source: source.into().into() }
}
