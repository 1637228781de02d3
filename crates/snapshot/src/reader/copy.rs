//! Opens files of the home and copies them into scratch.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{
    FileType, Mode, OFlags, ResolveFlags, SeekFrom, Stat, fstat, openat, openat2, seek,
};
use rustix::io::Errno;

use super::enter::{View, directory};
use super::insist::insist;
use super::tick;
use super::walk::looks;
use super::wire::{Copied, Order};

/// The kernel takes no longer path at once.
const PATH: usize = 4000;

/// Opens a regular file of the home. Nothing on the way may be a link, or lead out; nothing if it is not
/// there, or something else.
pub(super) fn open(view: &View, path: &[u8]) -> Result<Option<(OwnedFd, Stat)>, Errno> {
    // Not to wait for anybody, should it have become a pipe.
    let how =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let lookup = || match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => {
            descend(&view.home, &path[..at]).and_then(|parent| step(&parent, &path[at + 1..], how))
        }
        None => step(&view.home, path, how),
    };
    let opened = match lookup() {
        Err(Errno::ACCESS) => insist(view.insists, lookup).and_then(|file| own(view, file)),
        other => other,
    };
    match opened {
        Ok(file) => {
            let stat = fstat(&file)?;
            let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
            Ok((regular && stat.st_dev == view.device).then_some((file, stat)))
        }
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::NXIO) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// What was opened against its mode, if it is the box's own.
pub(super) fn own(view: &View, opened: OwnedFd) -> Result<OwnedFd, Errno> {
    if fstat(&opened)?.st_uid == view.uid { Ok(opened) } else { Err(Errno::ACCESS) }
}

/// To a directory, in as few steps as the kernel has.
fn descend(home: &OwnedFd, path: &[u8]) -> Result<OwnedFd, Errno> {
    let mut at = rustix::io::fcntl_dupfd_cloexec(home, 0)?;
    let mut rest = path;
    while !rest.is_empty() {
        let cut = if rest.len() <= PATH {
            rest.len()
        } else {
            rest[..PATH].iter().rposition(|byte| *byte == b'/').ok_or(Errno::NAMETOOLONG)?
        };
        at = stretch(&at, &rest[..cut])?;
        rest = rest.get(cut + 1..).unwrap_or_default();
    }
    Ok(at)
}

fn stretch(from: &OwnedFd, path: &[u8]) -> Result<OwnedFd, Errno> {
    let within = ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV;
    match openat2(from, OsStr::from_bytes(path), directory(), Mode::empty(), within) {
        // An old kernel, or a filter: by single names then.
        Err(Errno::NOSYS | Errno::PERM) => {}
        other => return other,
    }
    let mut at = rustix::io::fcntl_dupfd_cloexec(from, 0)?;
    for name in path.split(|byte| *byte == b'/') {
        at = step(&at, name, directory())?;
    }
    Ok(at)
}

/// To one name.
fn step(from: impl AsFd, name: &[u8], how: OFlags) -> Result<OwnedFd, Errno> {
    if matches!(name, b"" | b"." | b"..") {
        return Err(Errno::INVAL);
    }
    openat(from, OsStr::from_bytes(name), how, Mode::empty())
}

/// Copies a file of the home. A copy of that name is replaced.
pub(super) fn copy(view: &View, order: &Order) -> Result<Option<Copied>, Errno> {
    let now = tick::now();
    let Some((file, stat)) = open(view, &order.from)? else { return Ok(None) };
    let into = create(view, &order.to)?;
    fill(&file, &into, u64::try_from(stat.st_size).unwrap_or(0))?;
    let stat = looks(&stat);
    Ok(Some(Copied { stat, settled: stat.ctime < now }))
}

/// A second copy of something in scratch.
pub(super) fn again(view: &View, from: &str, to: &str) -> Result<u64, Errno> {
    let file = open_copy(view, from)?;
    let size = u64::try_from(fstat(&file)?.st_size).unwrap_or(0);
    fill(&file, &create(view, to)?, size)?;
    Ok(size)
}

pub(super) fn open_copy(view: &View, name: &str) -> Result<OwnedFd, Errno> {
    let how = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    step(&view.scratch, name.as_bytes(), how)
}

fn create(view: &View, name: &str) -> Result<OwnedFd, Errno> {
    let how = OFlags::RDWR | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(&view.scratch, name, how, Mode::from_raw_mode(0o600))
}

/// By sharing its blocks where the file system can, else block by block, holes left out. One that becomes
/// shorter meanwhile is copied as far as it goes.
fn fill(from: &OwnedFd, into: &OwnedFd, size: u64) -> Result<(), Errno> {
    if rustix::fs::ioctl_ficlone(into, from).is_ok() {
        return Ok(());
    }
    let mut at = 0;
    while at < size {
        let data = match seek(from, SeekFrom::Data(at)) {
            Ok(data) => data,
            // Nothing but a hole from here on.
            Err(Errno::NXIO) => break,
            Err(Errno::INVAL) => at,
            Err(errno) => return Err(errno),
        };
        let end = seek(from, SeekFrom::Hole(data)).unwrap_or(size).clamp(data, size);
        let (mut read, mut write) = (data, data);
        while read < end {
            if pump(from, into, &mut read, &mut write, end)? == 0 {
                return Ok(());
            }
        }
        at = end.max(at + 1);
    }
    rustix::fs::ftruncate(into, size.min(u64::try_from(fstat(from)?.st_size).unwrap_or(0)))
}

fn pump(
    from: &OwnedFd,
    into: &OwnedFd,
    read: &mut u64,
    write: &mut u64,
    end: u64,
) -> Result<usize, Errno> {
    let most = usize::try_from(end - *read).unwrap_or(usize::MAX).min(1 << 30);
    match rustix::fs::copy_file_range(from, Some(read), into, Some(write), most) {
        Err(Errno::XDEV | Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP | Errno::PERM) => {}
        other => return other,
    }
    let mut buffer = vec![0; most.min(1 << 20)];
    let got = rustix::io::pread(from, &mut buffer, *read)?;
    let mut done = 0;
    while done < got {
        done += rustix::io::pwrite(into, &buffer[done..got], *write + done as u64)?;
    }
    *read += got as u64;
    *write += got as u64;
    Ok(got)
}

/// Whether scratch has such a copy, and how large it is.
pub(super) fn size(view: &View, name: &str) -> io::Result<Option<u64>> {
    match open_copy(view, name) {
        Ok(file) => Ok(Some(u64::try_from(fstat(&file)?.st_size).unwrap_or(0))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Removes a copy; one that is missing is fine.
pub(super) fn remove(view: &View, name: &str) {
    let _ = rustix::fs::unlinkat(&view.scratch, name, rustix::fs::AtFlags::empty());
}
