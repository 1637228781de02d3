//! Reads a file in pieces. Threads that may block are held for a piece, never for a caller.

use bytes::Bytes;
use smartbox_home::{Beneath, Home, Opened};
use smartbox_link::wire::MAX_ANSWER;
use tokio::sync::mpsc;

use super::{FileFault, elsewhere};

const PIECE: usize = 64 << 10;

/// A file's length when it was opened, and its bytes.
pub(crate) type Reading = (u64, mpsc::Receiver<Bytes>);

/// Opens a file and reads it while the caller takes it.
pub(crate) async fn read(home: Home, path: &str) -> Result<Reading, FileFault> {
    let path = Beneath::named(path.as_bytes(), true)?;
    let file = elsewhere(move || Ok(home.read(&path)?)).await?;
    let len = file.entry().size;
    if len > MAX_ANSWER as u64 {
        return Err(FileFault::TooLong);
    }
    let (pieces, taken) = mpsc::channel(2);
    tokio::spawn(copy(file, len, pieces));
    Ok((len, taken))
}

/// A file that got shorter meanwhile ends the answer short of its length, which the caller sees.
async fn copy(mut file: Opened, len: u64, pieces: mpsc::Sender<Bytes>) {
    let mut at = 0;
    while at < len {
        let Ok(place) = pieces.reserve().await else { return };
        let read = elsewhere(move || {
            let most = usize::try_from(len - at).unwrap_or(PIECE).min(PIECE);
            let bytes = file.read_at(at, most)?;
            Ok((file, bytes))
        });
        let Ok((back, bytes)) = read.await else { return };
        if bytes.is_empty() {
            return;
        }
        file = back;
        at += bytes.len() as u64;
        place.send(bytes.into());
    }
}
