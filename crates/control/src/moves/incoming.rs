//! Bytes that come asynchronously, for code that waits for them, and the compression that they are in.

use std::io::{self, Cursor, Read};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use smartbox_core::BoxStream;
use tokio::sync::mpsc;

/// How long the next bytes may take to come.
const SLOW: Duration = Duration::from_secs(60);
/// Pieces under way between the two.
const AHEAD: usize = 8;
/// The largest window of zstd that is allowed for, as a power of two: 128 MiB.
const WINDOW: u32 = 27;

/// The end that is read, on a thread that may wait.
pub(super) struct Incoming {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
    ended: bool,
}

/// The end that feeds. It returns when the body is at its end, or nobody reads any more.
pub(super) async fn feed(
    mut body: BoxStream<'static, io::Result<Bytes>>,
    pieces: mpsc::Sender<io::Result<Bytes>>,
) {
    loop {
        let piece = match tokio::time::timeout(SLOW, body.next()).await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        let broken = piece.is_err();
        // An empty piece is the mark of the end.
        if piece.as_ref().is_ok_and(Bytes::is_empty) {
            continue;
        }
        if pieces.send(piece).await.is_err() || broken {
            return;
        }
    }
    // If nobody reads any more, nobody misses it.
    let _ = pieces.send(Ok(Bytes::new())).await;
}

/// Both ends.
pub(super) fn channel() -> (mpsc::Sender<io::Result<Bytes>>, Incoming) {
    let (sender, pieces) = mpsc::channel(AHEAD);
    (sender, Incoming { pieces, piece: Bytes::new(), ended: false })
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !self.ended {
            // Whoever feeds went away before the end: what is missing must not look like an end.
            let next = self.pieces.blocking_recv().ok_or(io::ErrorKind::UnexpectedEof)?;
            self.piece = next?;
            self.ended = self.piece.is_empty();
        }
        let len = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..len]);
        Ok(len)
    }
}

/// The archive within, whatever it is compressed by.
pub(super) fn plain(mut bytes: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::new();
    bytes.by_ref().take(4).read_to_end(&mut head)?;
    let gzip = head.starts_with(&[0x1f, 0x8b]);
    let zstd = head == [0x28, 0xb5, 0x2f, 0xfd];
    let whole = Read::chain(Cursor::new(head), bytes);
    if gzip {
        return Ok(Box::new(flate2::read::MultiGzDecoder::new(whole)));
    }
    if zstd {
        let mut decoder = zstd::stream::read::Decoder::new(whole)?;
        decoder.window_log_max(WINDOW)?;
        return Ok(Box::new(decoder));
    }
    Ok(Box::new(whole))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    /// What is read of a body, on a thread of its own.
    async fn all(pieces: Vec<io::Result<Bytes>>, ends: bool) -> io::Result<Vec<u8>> {
        let (sender, mut incoming) = channel();
        let reading = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            incoming.read_to_end(&mut bytes).map(|_| bytes)
        });
        match ends {
            true => feed(stream::iter(pieces).boxed(), sender).await,
            // Whoever feeds is killed.
            false => drop(sender),
        }
        reading.join().unwrap()
    }

    #[tokio::test]
    async fn only_an_end_is_an_end() {
        let piece = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
        assert_eq!(all(vec![piece("a"), piece(""), piece("bc")], true).await.unwrap(), b"abc");
        let broken = all(vec![piece("a"), Err(io::ErrorKind::ConnectionReset.into())], true).await;
        assert_eq!(broken.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        let killed = all(vec![], false).await;
        assert_eq!(killed.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_no_further_is_given_up() {
        let (sender, mut incoming) = channel();
        feed(stream::pending().boxed(), sender).await;
        let read = std::thread::spawn(move || incoming.read(&mut [0; 8])).join().unwrap();
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
