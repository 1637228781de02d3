//! A gathered home in the library's words: what there is in the order of its trees, and its contents when
//! they are asked for. What is read from the home itself must be as it was in the moment that the
//! snapshot is of, before it is read and after.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{Metadata, Node, NodeType};
use rustic_core::{ReadSource, ReadSourceEntry, RusticResult};
use rustix::fs::{FileType, fstat};
use smartbox_core::snapshot::port::{Meter, SnapshotError};

use crate::error::hole;
use crate::gate::Gate;
use crate::gather::{Contained, Source};
use crate::listing::{Listing, Thing};
use crate::reader::looks;
use crate::reader::wire::{Kind, Looks, Time};
use crate::session::{Open, Session};

/// What the kernel's file type is in the words of Go, which are the format's.
const GO_DIRECTORY: u32 = 1 << 31;
const GO_LINK: u32 = 1 << 27;
const GO_STICKY: u32 = 1 << 20;

/// Why to try again, if that could help.
#[derive(Debug, Default)]
pub(crate) struct Again {
    /// The inodes of what changed while it was read.
    pub(crate) marked: HashSet<u64>,
    /// And of all that was read: what is not in the snapshot before.
    pub(crate) asked: HashSet<u64>,
    /// Whether something that was archived before is no longer there.
    pub(crate) lost: bool,
}

impl Again {
    /// It grows with each thing that a further try may do better.
    pub(crate) fn count(&self) -> usize {
        self.marked.len() + usize::from(self.lost)
    }
}

/// A home to be archived.
#[derive(Clone)]
pub(crate) struct Home(Arc<Shared>);

struct Shared {
    listing: Listing,
    sources: HashMap<usize, Source>,
    session: Mutex<Session>,
    device: u64,
    gate: Gate,
    again: Arc<Mutex<Again>>,
    meter: Option<Meter>,
    read: AtomicU64,
}

impl Home {
    pub(crate) fn new(
        contained: Contained,
        gate: Gate,
        again: Arc<Mutex<Again>>,
        meter: Option<Meter>,
    ) -> Self {
        let Contained { listing, sources, session } = contained;
        let device = session.home();
        let session = Mutex::new(session);
        let read = AtomicU64::new(0);
        Self(Arc::new(Shared { listing, sources, session, device, gate, again, meter, read }))
    }
}

impl ReadSource for Home {
    type Open = Contents;
    type Iter = Entries;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(None)
    }

    fn entries(&self) -> Entries {
        Entries { home: self.clone(), next: 0 }
    }
}

/// Goes through the listing.
pub(crate) struct Entries {
    home: Home,
    next: usize,
}

impl Iterator for Entries {
    type Item = RusticResult<ReadSourceEntry<Contents>>;

    fn next(&mut self) -> Option<Self::Item> {
        let shared = &self.home.0;
        // Once anything failed, there will be no snapshot: the rest need not be read.
        while shared.gate.is_open() {
            let index = self.next;
            let thing = shared.listing.things.get(index)?;
            self.next += 1;
            let source = shared.sources.get(&index);
            if !matches!(source, Some(Source::Omit)) {
                return Some(Ok(self.entry(index, thing, source)));
            }
        }
        None
    }
}

impl Entries {
    fn entry(
        &self,
        index: usize,
        thing: &Thing,
        source: Option<&Source>,
    ) -> ReadSourceEntry<Contents> {
        let shared = &self.home.0;
        let path = PathBuf::from(OsStr::from_bytes(&shared.listing.path(index)));
        let mut looks = thing.stat;
        match source {
            Some(Source::Copy { size, .. }) => looks.size = *size,
            Some(
                Source::Rested { size, mtime, ctime, .. } | Source::Kept { size, mtime, ctime },
            ) => {
                (looks.size, looks.mtime, looks.ctime) = (*size, *mtime, *ctime);
            }
            Some(Source::Omit) | None => {}
        }
        let mut open = None;
        let kind = match &thing.kind {
            Kind::Directory => NodeType::Dir,
            Kind::Link(target) => NodeType::from_link(Path::new(OsStr::from_bytes(target))),
            Kind::File => {
                let home = self.home.clone();
                open = Some(Contents { home, index, at: 0, size: looks.size, file: None });
                NodeType::File
            }
        };
        let name = OsStr::from_bytes(&thing.name);
        let node = Node::new_node(name, kind, metadata(&looks, shared.device));
        ReadSourceEntry { path, node, open }
    }
}

fn metadata(looks: &Looks, device: u64) -> Metadata {
    let kind = FileType::from_raw_mode(looks.mode);
    let file = kind == FileType::RegularFile;
    // Without set-user and set-group: restored by root, the file would be root's.
    let mut mode = looks.mode & 0o777;
    match kind {
        FileType::Directory => {
            mode |= GO_DIRECTORY;
            if looks.mode & 0o1000 != 0 {
                mode |= GO_STICKY;
            }
        }
        FileType::Symlink => mode |= GO_LINK,
        _ => {}
    }
    let mtime = time(looks.mtime);
    Metadata {
        mode: Some(mode),
        mtime,
        atime: mtime,
        ctime: time(looks.ctime),
        uid: Some(looks.uid),
        gid: Some(looks.gid),
        inode: looks.inode,
        device_id: if file && looks.links > 1 { device } else { 0 },
        size: if file { looks.size } else { 0 },
        links: if kind == FileType::Directory { 0 } else { looks.links },
        ..Metadata::default()
    }
}

fn time(Time(seconds, nanoseconds): Time) -> Option<Timestamp> {
    Timestamp::new(seconds, i32::try_from(nanoseconds).unwrap_or(0)).ok()
}

/// A regular file's contents.
pub(crate) struct Contents {
    home: Home,
    index: usize,
    at: u64,
    size: u64,
    file: Option<File>,
}

impl Contents {
    fn try_read(&mut self, out: &mut [u8]) -> Result<usize, Failed> {
        let most = usize::try_from(self.size - self.at).unwrap_or(usize::MAX).min(out.len());
        if most == 0 {
            return Ok(0);
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        // Where its reader has it open too, the place is ours alone.
        let got = file.read_at(&mut out[..most], self.at).map_err(Failed::Kernel)?;
        self.at += got as u64;
        let ours = self.home.0.sources.contains_key(&self.index);
        if got == 0 || (self.at == self.size && !ours && self.differs(&now(&file)?)) {
            return Err(Failed::Changed);
        }
        self.file = Some(file);
        let shared = &self.home.0;
        let read = shared.read.fetch_add(got as u64, Ordering::Relaxed) + got as u64;
        if let Some(meter) = &shared.meter {
            meter(read);
        }
        Ok(got)
    }

    fn inode(&self) -> Option<u64> {
        self.home.0.listing.things.get(self.index).map(|thing| thing.stat.inode)
    }

    fn open(&self) -> Result<File, Failed> {
        let shared = &self.home.0;
        lock(&shared.again).asked.extend(self.inode());
        let mut session = lock(&shared.session);
        match shared.sources.get(&self.index) {
            Some(Source::Copy { name, .. } | Source::Rested { name, .. }) => {
                let Open { file, stat } = session.open_copy(name).map_err(Failed::Said)?;
                if stat.size == self.size { Ok(file) } else { Err(Failed::Changed) }
            }
            // The library asks for it only if its pieces are not where they were.
            Some(Source::Kept { .. } | Source::Omit) => Err(Failed::Lost),
            None => {
                let path = shared.listing.path(self.index);
                match session.open(&path).map_err(Failed::Said)? {
                    Some(open) if !self.differs(&open.stat) => Ok(open.file),
                    _ => Err(Failed::Changed),
                }
            }
        }
    }

    /// Whether the file is another one, or has other contents, than in the moment of the snapshot.
    fn differs(&self, now: &Looks) -> bool {
        let key = |stat: &Looks| (stat.inode, stat.size, stat.mtime, stat.ctime);
        let then = self.home.0.listing.things.get(self.index);
        then.is_none_or(|then| key(&then.stat) != key(now))
    }

    fn fail(&self, failed: Failed) -> io::Error {
        let shared = &self.home.0;
        let path = shared.listing.path(self.index);
        let text = match failed {
            Failed::Changed => {
                lock(&shared.again).marked.extend(self.inode());
                "it changed while it was read"
            }
            Failed::Lost => {
                lock(&shared.again).lost = true;
                "what was archived of it is no longer there"
            }
            Failed::Kernel(error) => {
                let kind = error.kind();
                shared.gate.shut(hole(&path, error));
                return kind.into();
            }
            Failed::Said(error) => {
                shared.gate.shut(error);
                return io::ErrorKind::Other.into();
            }
        };
        shared.gate.shut(hole(&path, io::Error::other(text)));
        io::Error::other(text)
    }
}

enum Failed {
    /// It is not as it was in the moment of the snapshot.
    Changed,
    /// It was to come from the parent snapshot, and is not there.
    Lost,
    Kernel(io::Error),
    Said(SnapshotError),
}

impl Read for Contents {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.try_read(out).map_err(|failed| self.fail(failed))
    }
}

fn now(file: &File) -> Result<Looks, Failed> {
    fstat(file).map(|stat| looks(&stat)).map_err(|errno| Failed::Kernel(errno.into()))
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
