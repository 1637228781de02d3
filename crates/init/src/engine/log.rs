//! The engine's output: from one pipe into one bounded file. A full file or disk drops output; it
//! never blocks or kills the engine.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::pipe::{PipeFlags, pipe_with};

use crate::process::Port;

const PIECE: usize = 64 << 10;

/// The log, shared by the copier and the keeper.
#[derive(Clone)]
pub(crate) struct Log {
    bounded: Arc<Mutex<Bounded>>,
    drain: Arc<Port>,
    /// The end that engines write to.
    source: Arc<OwnedFd>,
}

impl Log {
    /// Opens the pipe and sets the copier to work. The file was opened for appending.
    pub(crate) fn new(file: File, cap: u64) -> io::Result<Self> {
        let (drain, source) = pipe_with(PipeFlags::CLOEXEC)?;
        let drain = Arc::new(Port::new(drain)?);
        let bounded = Arc::new(Mutex::new(Bounded { file, cap, full_at: None, dropped: 0 }));
        let (copied, from) = (Arc::clone(&bounded), Arc::clone(&drain));
        tokio::spawn(async move {
            let mut bytes = vec![0; PIECE];
            while let Ok(len) = from.read(&mut bytes).await {
                if len == 0 {
                    break;
                }
                copied.lock().unwrap_or_else(PoisonError::into_inner).put(&bytes[..len]);
                // The reactor's other work goes on beside an engine that never stops talking.
                tokio::task::yield_now().await;
            }
        });
        Ok(Self { bounded, drain, source: Arc::new(source) })
    }

    /// A descriptor for an engine to write to.
    pub(crate) fn source(&self) -> io::Result<OwnedFd> {
        self.source.try_clone()
    }

    /// Copies what is in the pipe now, at most as much as one holds: what an engine said before its
    /// end stands before what init says of it.
    pub(crate) fn flush(&self) {
        let mut bytes = vec![0; PIECE];
        for _ in 0..16 {
            match self.drain.try_read(&mut bytes) {
                Ok(0) | Err(_) => return,
                Ok(len) => self.put(&bytes[..len]),
            }
        }
    }

    /// Adds a line of init's own.
    pub(crate) fn line(&self, text: &str) {
        self.put(format!("[init] {text}\n").as_bytes());
    }

    fn put(&self, bytes: &[u8]) {
        self.bounded.lock().unwrap_or_else(PoisonError::into_inner).put(bytes);
    }
}

struct Bounded {
    file: File,
    cap: u64,
    /// The file's size when output began to be dropped; a smaller one means that it was cut.
    full_at: Option<u64>,
    dropped: u64,
}

impl Bounded {
    fn put(&mut self, bytes: &[u8]) {
        let size = self.file.metadata().map_or(0, |meta| meta.len());
        if let Some(full_at) = self.full_at {
            if size >= full_at {
                self.dropped += bytes.len() as u64;
                return;
            }
            self.full_at = None;
            let note = format!(
                "[init] {} bytes of output were dropped\n",
                std::mem::take(&mut self.dropped)
            );
            self.write(note.as_bytes());
        }
        let room = usize::try_from(self.cap.saturating_sub(size)).unwrap_or(usize::MAX);
        self.write(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room {
            self.dropped += (bytes.len() - room) as u64;
            self.write(b"\n[init] the log is full: output is dropped until the platform cuts it\n");
            self.full_at = Some(self.file.metadata().map_or(size, |meta| meta.len()));
        }
    }

    /// Writes what can be written now; a full disk drops the rest.
    fn write(&mut self, bytes: &[u8]) {
        if self.file.write_all(bytes).is_err() {
            self.dropped += bytes.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_says_so_once_and_goes_on_after_it_was_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let file = File::options().append(true).create(true).open(&path).unwrap();
        let mut log = Bounded { file, cap: 10, full_at: None, dropped: 0 };
        log.put(b"0123456");
        log.put(b"789abc");
        log.put(b"def");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("0123456789\n[init] the log is full"), "{text}");
        assert_eq!(text.matches("[init]").count(), 1);
        File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        log.put(b"g");
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "[init] 6 bytes of output were dropped\ng"
        );
    }

    #[test]
    fn a_full_disk_is_survived() {
        let file = File::options().append(true).open("/dev/full").unwrap();
        let mut log = Bounded { file, cap: 1000, full_at: None, dropped: 0 };
        log.put(b"lost");
        assert_eq!(log.dropped, 4);
    }
}
