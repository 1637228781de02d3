//! The two files of a log: what is written goes into one, and when that is full it is copied over the
//! other and begins anew. So the newest half of what the cap allows is always there.
//!
//! Each file's first line says at which byte of the whole log it begins: a reader's place keeps its
//! number, and no reader needs to be told. Init alone writes, so nothing is lost between two steps.
//! Init holds two descriptors and no directory: from inside a box a directory leads out of it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use smartbox_link::log::{self, HEAD_MAX};
use tokio::time::Instant;

use crate::clock;

/// A file is not turned over sooner after the last time: an engine that never stops talking costs the
/// disk so much and no more.
const PACE: Duration = Duration::from_millis(250);
const PIECE: usize = 64 << 10;

pub(super) struct Halves {
    file: File,
    past: File,
    /// Bytes that each takes, besides its first line.
    most: u64,
    /// The byte of the whole log that the file begins with, and how long its first line is.
    base: u64,
    head: u64,
    turned: Option<Instant>,
    /// The file is full and it is too soon to turn it over.
    full: bool,
    /// Bytes that the log does not have and does not yet say so.
    dropped: u64,
}

impl Halves {
    pub(super) fn open(file: File, past: File, cap: u64) -> io::Result<Self> {
        let (base, head) = match file.metadata()?.len() {
            // A new log, or one whose init died while it turned the files over.
            0 => {
                let (base, head) = first_line(&past)?;
                (base + past.metadata()?.len().saturating_sub(head), 0)
            }
            _ => first_line(&file)?,
        };
        let most = (cap / 2).max(1);
        Ok(Self { file, past, most, base, head, turned: None, full: false, dropped: 0 })
    }

    /// Adds bytes, by whole lines where the file's end is reached.
    pub(super) fn put(&mut self, mut bytes: &[u8], now: Instant) {
        if !self.begin() || (self.full && !self.turn(now)) {
            self.dropped += bytes.len() as u64;
            return;
        }
        if self.dropped > 0 {
            self.tell();
        }
        loop {
            let room = usize::try_from(self.most.saturating_sub(self.len())).unwrap_or(usize::MAX);
            if bytes.len() <= room {
                return self.write(bytes);
            }
            let whole = bytes[..room].iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
            // A line that no file has room for is broken.
            let fits = whole.unwrap_or(if self.len() == 0 { room } else { 0 });
            self.write(&bytes[..fits]);
            bytes = &bytes[fits..];
            if !self.turn(now) {
                self.dropped += bytes.len() as u64;
                return;
            }
        }
    }

    /// Bytes in the file besides its first line.
    fn len(&self) -> u64 {
        self.file.metadata().map_or(0, |meta| meta.len()).saturating_sub(self.head)
    }

    /// Gives an empty file its first line; whether there is one now.
    fn begin(&mut self) -> bool {
        if !self.file.metadata().is_ok_and(|meta| meta.len() == 0) {
            return true;
        }
        let line = log::head(self.base);
        if self.file.write_all(line.as_bytes()).is_ok() {
            self.head = line.len() as u64;
            return true;
        }
        // Half a line would make it a log from its start.
        let _ = self.file.set_len(0);
        false
    }

    /// Copies the file over the older one and begins it anew; whether that was done.
    fn turn(&mut self, now: Instant) -> bool {
        let early = self.turned.is_some_and(|last| now.saturating_duration_since(last) < PACE);
        let end = self.base + self.len();
        // If the disk is too full for a copy, the older half is what is lost.
        let done = !early && {
            let _ = self.copy();
            self.file.set_len(0).is_ok()
        };
        if done {
            (self.base, self.head, self.turned) = (end, 0, Some(now));
        }
        self.full = !done;
        done && self.begin()
    }

    fn copy(&self) -> io::Result<()> {
        self.past.set_len(0)?;
        let (mut bytes, mut at) = (vec![0; PIECE], 0);
        loop {
            let len = self.file.read_at(&mut bytes, at)?;
            if len == 0 {
                return Ok(());
            }
            (&self.past).write_all(&bytes[..len])?;
            at += len as u64;
        }
    }

    fn tell(&mut self) {
        let time = clock::stamp(clock::now_ms());
        let text = format!("{time} [init] {} bytes of output were dropped\n", self.dropped);
        if self.file.write_all(text.as_bytes()).is_ok() {
            self.dropped = 0;
        }
    }

    /// Writes what can be written now; a full disk drops the rest.
    fn write(&mut self, bytes: &[u8]) {
        if self.file.write_all(bytes).is_err() {
            self.dropped += bytes.len() as u64;
        }
    }
}

/// Where a file begins, and how long its first line is.
fn first_line(file: &File) -> io::Result<(u64, u64)> {
    let mut bytes = [0; HEAD_MAX];
    let len = file.read_at(&mut bytes, 0)?;
    Ok(log::base(&bytes[..len]))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn open(dir: &Path, cap: u64) -> Halves {
        let file = |name| {
            let mut how = File::options();
            how.append(true).read(true).create(true).open(dir.join(name)).unwrap()
        };
        Halves::open(file("log"), file("log.1"), cap).unwrap()
    }

    fn text(dir: &Path, name: &str) -> String {
        std::fs::read_to_string(dir.join(name)).unwrap()
    }

    #[test]
    fn a_full_file_becomes_the_older_one_between_two_lines() {
        let dir = tempfile::tempdir().unwrap();
        let (mut log, now) = (open(dir.path(), 20), Instant::now());
        log.put(b"one\ntwo\nth", now);
        log.put(b"ree\nfour\n", now);
        assert_eq!(text(dir.path(), "log.1"), "#smartbox-log 0\none\ntwo\nth");
        assert_eq!(text(dir.path(), "log"), "#smartbox-log 10\nree\nfour\n");
        log.put(b"five\nsix\n", now + PACE);
        assert_eq!(text(dir.path(), "log.1"), "#smartbox-log 10\nree\nfour\n");
        assert_eq!(text(dir.path(), "log"), "#smartbox-log 19\nfive\nsix\n");
    }

    #[test]
    fn output_that_comes_too_fast_is_dropped_and_said_to_be() {
        let dir = tempfile::tempdir().unwrap();
        let (mut log, now) = (open(dir.path(), 2000), Instant::now());
        log.put(&b"words\n".repeat(400), now);
        log.put(b"more\n", now);
        let (past, file) = (text(dir.path(), "log.1"), text(dir.path(), "log"));
        assert_eq!((past.matches("words").count(), file.matches("words").count()), (166, 166));
        assert!(!file.contains("dropped") && !file.contains("more"), "{file}");
        log.put(b"at last\n", now + PACE);
        let file = text(dir.path(), "log");
        let told = format!(" [init] {} bytes of output were dropped\nat last\n", 68 * 6 + 5);
        assert!(file.ends_with(&told), "{file}");
        log.put(b"and on\n", now + PACE);
        assert!(text(dir.path(), "log").ends_with("at last\nand on\n"), "it is said once");
    }

    #[test]
    fn a_line_that_no_file_has_room_for_is_broken() {
        let dir = tempfile::tempdir().unwrap();
        let (mut log, now) = (open(dir.path(), 20), Instant::now());
        log.put(b"abcdefghijklmno\n", now);
        assert_eq!(text(dir.path(), "log.1"), "#smartbox-log 0\nabcdefghij");
        assert_eq!(text(dir.path(), "log"), "#smartbox-log 10\nklmno\n");
    }

    #[test]
    fn a_later_init_goes_on_where_an_earlier_one_was() {
        let dir = tempfile::tempdir().unwrap();
        let now = Instant::now();
        open(dir.path(), 20).put(b"one\n", now);
        open(dir.path(), 20).put(b"two\n", now);
        assert_eq!(text(dir.path(), "log"), "#smartbox-log 0\none\ntwo\n");
        open(dir.path(), 20).put(b"three\n", now);
        assert_eq!(text(dir.path(), "log"), "#smartbox-log 8\nthree\n");
        // It died when the file was copied and empty.
        std::fs::copy(dir.path().join("log"), dir.path().join("log.1")).unwrap();
        std::fs::write(dir.path().join("log"), "").unwrap();
        open(dir.path(), 20).put(b"four\n", now);
        assert_eq!(text(dir.path(), "log"), "#smartbox-log 14\nfour\n");
    }

    #[test]
    fn a_full_disk_is_survived() {
        let full = || File::options().append(true).read(true).open("/dev/full").unwrap();
        let mut log = Halves::open(full(), full(), 1000).unwrap();
        log.put(b"lost", Instant::now());
        assert_eq!(log.dropped, 4);
    }
}
