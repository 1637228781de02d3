//! Reads a file in pieces, on a thread that may block.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::{FileType, OFlags, fstat};
use smartbox_link::wire::MAX_ANSWER;
use tokio::sync::{mpsc, oneshot};

use super::path::Beneath;
use super::{FileFault, beneath};

const PIECE: usize = 64 << 10;

/// A file's length when it was opened, and its bytes.
pub(crate) type Opened = (u64, mpsc::Receiver<Bytes>);

/// Opens a file and reads it while the caller takes it.
pub(crate) async fn read(home: Arc<OwnedFd>, path: &str) -> Result<Opened, FileFault> {
    let path = Beneath::parse(path)?;
    let (told, opened) = oneshot::channel();
    let (pieces, taken) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || match open(&home, &path) {
        Err(fault) => drop(told.send(Err(fault))),
        Ok((file, len)) => {
            if told.send(Ok(len)).is_ok() {
                copy(file.take(len), &pieces);
            }
        }
    });
    let len = opened.await.map_err(|_| FileFault::CutOff)??;
    Ok((len, taken))
}

fn open(home: &OwnedFd, path: &Beneath) -> Result<(File, u64), FileFault> {
    // Without NONBLOCK a pipe in the file's place would hold the thread.
    let fd = beneath::open(home.as_fd(), path, OFlags::RDONLY | OFlags::NONBLOCK)?;
    let meta = fstat(&fd)?;
    if FileType::from_raw_mode(meta.st_mode) != FileType::RegularFile {
        return Err(FileFault::Outside);
    }
    let len = u64::try_from(meta.st_size).unwrap_or(0);
    if len > MAX_ANSWER as u64 {
        return Err(FileFault::TooLong);
    }
    Ok((fd.into(), len))
}

fn copy(mut file: impl Read, pieces: &mpsc::Sender<Bytes>) {
    let mut bytes = vec![0; PIECE];
    while let Ok(len) = file.read(&mut bytes) {
        if len == 0 || pieces.blocking_send(Bytes::copy_from_slice(&bytes[..len])).is_err() {
            return;
        }
    }
}
