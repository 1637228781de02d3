//! The platform's side of a reader: it starts one, asks, and believes nothing. What the reader says is
//! bounded and checked; a descriptor that it passes is looked at before it is read.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::fs::{FileType, fstat};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use smartbox_core::home::place::HomePlace;
use smartbox_core::snapshot::port::SnapshotError;

use crate::error::{hole, of_kernel};
use crate::listing::{Listing, Walked};
use crate::reader::packet::{receive, send};
use crate::reader::wire::{Ask, Begin, Copied, Looks, Order, Say, Time};
use crate::reader::{ARG, looks};

const DOING: &str = "reading the home";

/// For how long it may be silent. A large file takes a while to copy.
const SILENCE: Duration = Duration::from_secs(60);

/// How readers are started.
#[derive(Debug, Clone)]
pub(crate) struct Reader(pub(crate) Vec<OsString>);

impl Default for Reader {
    fn default() -> Self {
        // This very program, even if another file has its name by now.
        Self(vec!["/proc/self/exe".into(), ARG.into()])
    }
}

/// What a reader is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To look and to open, not to copy.
    Look,
    /// To copy too.
    Copy,
    /// To open databases where they lie.
    Live,
}

/// A reader that runs. It ends with this.
#[derive(Debug)]
pub(crate) struct Session {
    child: Option<Child>,
    socket: OwnedFd,
    buffer: Vec<u8>,
    home: u64,
    scratch: u64,
}

/// An open file, and what it looked like when it was opened.
pub(crate) struct Open {
    pub(crate) file: File,
    pub(crate) stat: Looks,
}

impl Session {
    /// Starts a reader of a home.
    pub(crate) fn start(
        reader: &Reader,
        place: &HomePlace,
        exclude: &[String],
        purpose: Purpose,
    ) -> Result<Self, SnapshotError> {
        let start = || {
            let (ours, theirs) =
                socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
            let mut words = reader.0.iter();
            let program = words.next().ok_or(io::ErrorKind::InvalidInput)?;
            let child = Command::new(program)
                .args(words)
                .env_clear()
                .current_dir("/")
                .stdin(Stdio::from(theirs))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            Ok((ours, child))
        };
        let (socket, child) = start()
            .map_err(|error: io::Error| of_kernel("starting the reader of a home", error))?;
        let mut session = Self::over(socket, Some(child), place)?;
        let bytes = |path: &std::path::Path| path.as_os_str().as_bytes().to_vec();
        let begin = Begin {
            root: bytes(&place.root),
            home: bytes(&place.home),
            scratch: (purpose != Purpose::Look).then(|| bytes(&place.scratch)),
            user: place.user,
            exclude: exclude.to_vec(),
            live: purpose == Purpose::Live,
        };
        match session.ask(&Ask::Begin(begin))? {
            (Say::Ready, None) => Ok(session),
            _ => Err(senseless()),
        }
    }

    /// Over a socket that is there.
    pub(crate) fn over(
        socket: OwnedFd,
        child: Option<Child>,
        place: &HomePlace,
    ) -> Result<Self, SnapshotError> {
        let device = |path| std::fs::symlink_metadata(path).map(|meta| meta.dev());
        let home = device(&place.home).map_err(|error| hole(b".", error))?;
        // Where there is none, nothing is asked of it.
        let scratch = device(&place.scratch).unwrap_or(home);
        let session = Self { child, socket, buffer: Vec::new(), home, scratch };
        session.patience(SILENCE)?;
        Ok(session)
    }

    /// The file system that the home is on.
    pub(crate) fn home(&self) -> u64 {
        self.home
    }

    /// For how long to wait for an answer.
    pub(crate) fn patience(&self, most: Duration) -> Result<(), SnapshotError> {
        for which in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(&self.socket, which, Some(most))
                .map_err(|errno| of_kernel(DOING, errno.into()))?;
        }
        Ok(())
    }

    /// Goes through the home. Files that changed at `since` or later are looked into.
    pub(crate) fn walk(&mut self, since: Time) -> Result<Walked, SnapshotError> {
        self.tell(&Ask::Walk(since))?;
        let mut listing = Listing::default();
        loop {
            match self.hear()? {
                (Say::Found(batch), None) => {
                    for found in batch {
                        listing.push(found).map_err(broken)?;
                    }
                }
                (Say::End(end), None) => return Ok(Walked { listing, end }),
                _ => return Err(senseless()),
            }
        }
    }

    /// Copies files of the home into scratch; nothing for one that is no longer there.
    pub(crate) fn copy(&mut self, orders: &[Order]) -> Result<Vec<Option<Copied>>, SnapshotError> {
        /// About as many bytes of paths go into a packet.
        const PATHS: usize = 32 * 1024;
        let mut all = Vec::with_capacity(orders.len());
        let mut rest = orders;
        while !rest.is_empty() {
            let mut size = 0;
            let fits = rest.iter().take(64).take_while(|order| {
                size += order.from.len();
                size <= PATHS || size == order.from.len()
            });
            let (now, later) = rest.split_at(fits.count());
            match self.ask(&Ask::Copy(now.to_vec()))? {
                (Say::Copied(copied), None) if copied.len() == now.len() => all.extend(copied),
                _ => return Err(senseless()),
            }
            rest = later;
        }
        Ok(all)
    }

    /// Opens a regular file of the home; nothing if it is no longer there.
    pub(crate) fn open(&mut self, path: &[u8]) -> Result<Option<Open>, SnapshotError> {
        match self.ask(&Ask::Open(path.to_vec()))? {
            (Say::Opened, Some(fd)) => checked(fd, self.home).map(Some),
            (Say::Gone, None) => Ok(None),
            _ => Err(senseless()),
        }
    }

    /// Opens a copy.
    pub(crate) fn open_copy(&mut self, name: &str) -> Result<Open, SnapshotError> {
        match self.ask(&Ask::OpenCopy(name.to_owned()))? {
            (Say::Opened, Some(fd)) => checked(fd, self.scratch),
            _ => Err(senseless()),
        }
    }

    /// Brings a database to rest, as [`Ask::Rest`] or [`Ask::Online`] say.
    pub(crate) fn rest(&mut self, how: &Ask) -> Result<bool, SnapshotError> {
        match self.ask(how)? {
            (Say::Rested(done), None) => Ok(done),
            _ => Err(senseless()),
        }
    }

    fn ask(&mut self, ask: &Ask) -> Result<(Say, Option<OwnedFd>), SnapshotError> {
        self.tell(ask)?;
        self.hear()
    }

    fn tell(&self, ask: &Ask) -> Result<(), SnapshotError> {
        send(&self.socket, ask, None).map_err(broken)
    }

    fn hear(&mut self) -> Result<(Say, Option<OwnedFd>), SnapshotError> {
        match receive(&self.socket, &mut self.buffer).map_err(broken)? {
            Some((Say::Failed(path, errno), None)) => Err(refused(&path, errno)),
            Some(heard) => Ok(heard),
            None => Err(broken(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It has nothing to finish. It may be gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A regular file of that file system, and nothing else.
fn checked(fd: OwnedFd, device: u64) -> Result<Open, SnapshotError> {
    let stat = fstat(&fd).map_err(|errno| of_kernel(DOING, errno.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_dev != device {
        return Err(senseless());
    }
    Ok(Open { file: File::from(fd), stat: looks(&stat) })
}

fn refused(path: &[u8], errno: i32) -> SnapshotError {
    let error = io::Error::from_raw_os_error(errno);
    match of_kernel(DOING, error) {
        SnapshotError::Full => SnapshotError::Full,
        _ => hole(path, io::Error::from_raw_os_error(errno)),
    }
}

fn broken(source: io::Error) -> SnapshotError {
    SnapshotError::Broken { doing: DOING, source: source.into() }
}

fn senseless() -> SnapshotError {
    let what = "its reader said what makes no sense";
    broken(io::Error::new(io::ErrorKind::InvalidData, what))
}

#[cfg(test)]
mod tests;
