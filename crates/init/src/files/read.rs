//! Reads a file in pieces. Threads that may block are held for a piece, never for a caller.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::{FileType, OFlags, fstat};
use smartbox_link::wire::MAX_ANSWER;
use tokio::sync::mpsc;

use super::path::Beneath;
use super::{FileFault, beneath, elsewhere};

const PIECE: usize = 64 << 10;

/// A file's length when it was opened, and its bytes.
pub(crate) type Opened = (u64, mpsc::Receiver<Bytes>);

/// Opens a file and reads it while the caller takes it.
pub(crate) async fn read(home: Arc<OwnedFd>, path: &str) -> Result<Opened, FileFault> {
    let path = Beneath::parse(path)?;
    let (file, len) = elsewhere(move || open(&home, &path)).await?;
    let (pieces, taken) = mpsc::channel(2);
    tokio::spawn(copy(file, len, pieces));
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

/// A file that got shorter meanwhile ends the answer short of its length, which the caller sees.
async fn copy(mut file: File, len: u64, pieces: mpsc::Sender<Bytes>) {
    let mut left = usize::try_from(len).unwrap_or(0);
    while left > 0 {
        let Ok(place) = pieces.reserve().await else { return };
        let read = elsewhere(move || {
            let mut bytes = vec![0; left.min(PIECE)];
            let len = file.read(&mut bytes).unwrap_or(0);
            bytes.truncate(len);
            Ok((file, bytes))
        });
        let Ok((back, bytes)) = read.await else { return };
        if bytes.is_empty() {
            return;
        }
        file = back;
        left -= bytes.len();
        place.send(bytes.into());
    }
}
