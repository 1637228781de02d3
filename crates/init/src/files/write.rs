//! Writes a file whole or not at all: a temporary file beside it, flushed, renamed over it.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::{AtFlags, Mode, OFlags, fchmod, fsync, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use tokio::sync::{mpsc, oneshot};

use super::path::Beneath;
use super::{FileFault, beneath};

/// What a sender says next.
pub(crate) enum Piece {
    Bytes(Bytes),
    /// All bytes were sent; only now the file takes its place.
    End,
}

/// Where pieces go, and where the outcome comes from.
pub(crate) type Begun = (mpsc::Sender<Piece>, oneshot::Receiver<Result<(), FileFault>>);

/// Begins to write. Send pieces, then await the outcome; going away early leaves nothing behind.
pub(crate) fn write(home: Arc<OwnedFd>, path: &str, mode: u32) -> Result<Begun, FileFault> {
    let path = Beneath::parse(path)?;
    if mode & !0o777 != 0 {
        return Err(FileFault::Bad("the mode holds more than permission bits"));
    }
    let (sender, pieces) = mpsc::channel(4);
    let (told, outcome) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let _ = told.send(place(&home, &path, Mode::from_raw_mode(mode), pieces));
    });
    Ok((sender, outcome))
}

fn place(
    home: &OwnedFd,
    path: &Beneath,
    mode: Mode,
    pieces: mpsc::Receiver<Piece>,
) -> Result<(), FileFault> {
    let parent = beneath::open_parent(home.as_fd(), path)?;
    let (file, temporary) = create(&parent)?;
    let done = fill(file, mode, pieces)
        .and_then(|()| Ok(renameat(&parent, temporary.as_str(), &parent, path.name.as_str())?));
    if done.is_err() {
        let _ = unlinkat(&parent, temporary.as_str(), AtFlags::empty());
        return done;
    }
    Ok(fsync(&parent)?)
}

fn create(parent: &OwnedFd) -> Result<(File, String), FileFault> {
    for _ in 0..16 {
        let mut random = [0; 8];
        getrandom(&mut random, GetRandomFlags::empty())?;
        let name = format!(".smartbox-{:016x}", u64::from_ne_bytes(random));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        match openat(parent, name.as_str(), flags, Mode::RUSR | Mode::WUSR) {
            Err(Errno::EXIST) => {}
            other => return Ok((other?.into(), name)),
        }
    }
    Err(FileFault::System(Errno::EXIST))
}

fn fill(mut file: File, mode: Mode, mut pieces: mpsc::Receiver<Piece>) -> Result<(), FileFault> {
    loop {
        match pieces.blocking_recv() {
            None => return Err(FileFault::CutOff),
            Some(Piece::Bytes(bytes)) => file.write_all(&bytes).map_err(|e| fault(&e))?,
            Some(Piece::End) => break,
        }
    }
    fchmod(&file, mode)?;
    file.sync_all().map_err(|e| fault(&e))
}

fn fault(error: &std::io::Error) -> FileFault {
    match error.raw_os_error() {
        Some(number) => Errno::from_raw_os_error(number).into(),
        None if error.kind() == ErrorKind::WriteZero => FileFault::Full,
        None => FileFault::System(Errno::IO),
    }
}
