//! The platform's own log: a file in the data directory, cut before it is too long.
//!
//! Where standard error is no terminal (a service manager reads it), warnings go there too.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use smartbox_server::config::Env;
use smartbox_server::logs::Fields;
use smartbox_server::traces::Traces;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Filter, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::CliError;

/// Says how much is written, like `info` or `smartbox_edge=debug,info`.
const LEVEL: &str = "SMARTBOX_LOG";
/// The directory in the data directory; `up` makes it.
const DIR: &str = "logs";
const FILE: &str = "platform.log";
/// Where what was cut is kept, until the next cut.
const OLD: &str = "platform.old.log";
/// Bytes after which the file is cut.
const MAX: u64 = 16 << 20;

/// From now on what the platform says is kept, and spans are sent where they are to be.
pub(super) fn keep(data_dir: &Path, env: &Env, traces: Option<&Traces>) -> Result<(), CliError> {
    let wished = env.get(LEVEL).unwrap_or("info");
    let filter = EnvFilter::builder().parse(wished).map_err(|e| {
        CliError::usage(format!("{LEVEL} is not understood: {e}"), "write `info` or `debug`")
    })?;
    let journal = Mutex::new(Journal { dir: data_dir.join(DIR), open: None });
    let file = fmt::layer()
        .with_ansi(false)
        .fmt_fields(Fields)
        .with_writer(journal)
        .with_filter(filter.and(events()));
    let loud = (!io::stderr().is_terminal()).then(|| {
        let filter = EnvFilter::new("warn");
        fmt::layer()
            .with_ansi(false)
            .fmt_fields(Fields)
            .with_writer(io::stderr)
            .with_filter(filter.and(events()))
    });
    // A second `up` in one process would be a mistake of ours; the first one's log stands.
    let traces = traces.map(Traces::layer);
    let _ = tracing_subscriber::registry().with(traces).with(file).with(loud).try_init();
    Ok(())
}

/// Lines stand for themselves; spans are for traces.
fn events<S>() -> impl Filter<S> {
    filter_fn(|of| of.is_event())
}

/// The file, opened when the directory is there. What is said before is said on the terminal too.
struct Journal {
    dir: PathBuf,
    open: Option<(File, u64)>,
}

impl Journal {
    fn file(&mut self) -> Option<&mut (File, u64)> {
        let full = self.open.as_ref().is_some_and(|(_, len)| *len >= MAX);
        if full {
            self.open = None;
            // If it cannot be cut it is written on: a long log is better than none.
            let _ = std::fs::rename(self.dir.join(FILE), self.dir.join(OLD));
        }
        if self.open.is_none() {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(self.dir.join(FILE))
                .ok()?;
            let len = file.metadata().map_or(0, |meta| meta.len());
            self.open = Some((file, len));
        }
        self.open.as_mut()
    }
}

impl Write for Journal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some((file, len)) = self.file() {
            // A full disk must not end the platform.
            if file.write_all(bytes).is_ok() {
                *len += bytes.len() as u64;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_waits_for_its_directory_and_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join(DIR);
        let mut journal = Journal { dir: logs.clone(), open: None };
        journal.write_all(b"too early\n").unwrap();
        assert!(!logs.exists());
        std::fs::create_dir(&logs).unwrap();
        journal.write_all(b"first\n").unwrap();
        journal.open.as_mut().unwrap().1 = MAX;
        journal.write_all(b"second\n").unwrap();
        assert_eq!(std::fs::read(logs.join(OLD)).unwrap(), b"first\n");
        assert_eq!(std::fs::read(logs.join(FILE)).unwrap(), b"second\n");
    }
}
