//! The engine's output: from one pipe into a bounded log. A log that grows too fast or a full disk
//! drops output, and the log says so; neither ever blocks or kills the engine.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::pipe::{PipeFlags, pipe_with};
use tokio::time::Instant;

use super::halves::Halves;
use crate::clock;
use crate::process::Port;

const PIECE: usize = 64 << 10;

/// The log, shared by the copier and the keeper.
#[derive(Clone)]
pub(crate) struct Log {
    halves: Arc<Mutex<Halves>>,
    drain: Arc<Port>,
    /// The end that engines write to.
    source: Arc<OwnedFd>,
}

impl Log {
    /// Opens the pipe and sets the copier to work. Both files were opened for reading and appending.
    pub(crate) fn new(file: File, past: File, cap: u64) -> io::Result<Self> {
        let (drain, source) = pipe_with(PipeFlags::CLOEXEC)?;
        let drain = Arc::new(Port::new(drain)?);
        let halves = Arc::new(Mutex::new(Halves::open(file, past, cap)?));
        let (copied, from) = (Arc::clone(&halves), Arc::clone(&drain));
        tokio::spawn(async move {
            let mut bytes = vec![0; PIECE];
            while let Ok(len) = from.read(&mut bytes).await {
                if len == 0 {
                    break;
                }
                put(&copied, &bytes[..len]);
                // The reactor's other work goes on beside an engine that never stops talking.
                tokio::task::yield_now().await;
            }
        });
        Ok(Self { halves, drain, source: Arc::new(source) })
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
        self.put(format!("{} [init] {text}\n", clock::stamp(clock::now_ms())).as_bytes());
    }

    fn put(&self, bytes: &[u8]) {
        put(&self.halves, bytes);
    }
}

fn put(halves: &Mutex<Halves>, bytes: &[u8]) {
    halves.lock().unwrap_or_else(PoisonError::into_inner).put(bytes, Instant::now());
}
