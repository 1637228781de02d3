//! The exit record: one JSON line per end of the engine, for a platform that was away.

use std::fs::File;
use std::io::Write;

use serde::Serialize;
use smartbox_link::wire::Exit;

/// Bytes after which the record takes no more until the platform has cut it.
const CAP: u64 = 1 << 20;

/// The record's file.
pub(crate) struct Record(File);

#[derive(Serialize)]
struct Line {
    at_ms: i64,
    code: Option<i32>,
    signal: Option<i32>,
    oom: bool,
    starts: u32,
}

impl Record {
    /// The file was opened for appending.
    pub(crate) fn new(file: File) -> Self {
        Self(file)
    }

    /// Adds a line. A full disk or record loses it: the engine's restart is worth more.
    pub(crate) fn add(&mut self, at_ms: i64, exit: Exit, starts: u32) {
        if self.0.metadata().is_ok_and(|meta| meta.len() >= CAP) {
            return;
        }
        let line = Line { at_ms, code: exit.code, signal: exit.signal, oom: exit.oom, starts };
        if let Ok(mut bytes) = serde_json::to_vec(&line) {
            bytes.push(b'\n');
            let _ = self.0.write_all(&bytes);
        }
    }
}
