//! Puppet's durable state: one line of JSON an entry, synced before it is acted on.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cron::Job;
use super::sessions::Pending;

/// What is remembered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "is", content = "of", rename_all = "kebab-case")]
pub(super) enum Entry {
    /// A conversation was made.
    Session {
        /// Its key.
        key: String,
        /// Its id.
        id: String,
    },
    /// A row of a transcript.
    Row {
        /// The conversation's key.
        session: String,
        /// The row as `chat.history` gives it.
        row: Value,
    },
    /// A message that is accepted and not in the transcript yet.
    Pending {
        /// The conversation's key.
        session: String,
        /// The message.
        item: Pending,
    },
    /// A job was set.
    Job(Job),
    /// A job is over.
    JobGone {
        /// Its id.
        id: String,
    },
}

/// Whether every whole line can be read; one that is being written, or was cut off, is none.
pub(super) fn check(dir: &Path) -> io::Result<()> {
    let text = match std::fs::read(dir.join("puppet.jsonl")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    entries(&text[..whole(&text)]).map(drop)
}

/// How many bytes are whole lines.
fn whole(text: &[u8]) -> usize {
    text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1)
}

fn entries(lines: &[u8]) -> io::Result<Vec<Entry>> {
    let lines = lines.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    Ok(lines.map(serde_json::from_slice).collect::<Result<Vec<_>, _>>()?)
}

/// The file. One puppet at a time holds it.
pub(super) struct Journal {
    file: Arc<Mutex<File>>,
    _lock: File,
}

impl Journal {
    /// Opens it and reads what it holds. A last line that a kill cut off is dropped.
    pub(super) fn open(dir: &Path) -> io::Result<(Self, Vec<Entry>)> {
        std::fs::create_dir_all(dir)?;
        let lock = File::create(dir.join("puppet.lock"))?;
        if lock.try_lock().is_err() {
            return Err(io::Error::other("another process owns gateway-lifecycle"));
        }
        let path = dir.join("puppet.jsonl");
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = whole(&text);
        if whole < text.len() {
            file.set_len(u64::try_from(whole).map_err(io::Error::other)?)?;
            file.seek(io::SeekFrom::End(0))?;
        }
        let entries = entries(&text[..whole])?;
        Ok((Self { file: Arc::new(Mutex::new(file)), _lock: lock }, entries))
    }

    /// Writes entries and waits until the disk has them; gives them back.
    pub(super) async fn append(&self, entries: Vec<Entry>) -> io::Result<Vec<Entry>> {
        let file = Arc::clone(&self.file);
        let work = tokio::task::spawn_blocking(move || {
            let mut text = Vec::new();
            for entry in &entries {
                serde_json::to_writer(&mut text, entry)?;
                text.push(b'\n');
            }
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(&text)?;
            file.sync_data()?;
            Ok(entries)
        });
        work.await.map_err(io::Error::other)?
    }
}
