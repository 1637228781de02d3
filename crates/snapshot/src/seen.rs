//! What the home looked like when a snapshot was taken on this machine: a note beside the home, which is
//! the platform's and beyond the box's reach. It spares reading what has not changed; without it, or if
//! it makes no sense, everything counts as changed.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use smartbox_core::home::place::HomePlace;

use crate::listing::hex;
use crate::reader::wire::{Name, Time};

/// The form of the note. Another one is not read.
const FORM: u32 = 1;

/// A larger note is none of ours.
const LARGEST: u64 = 64 << 20;

/// More databases are not remembered; the others are copied each time.
const DATABASES: usize = 10_000;

/// The note.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Seen {
    form: u32,
    /// The snapshot.
    pub(crate) snapshot: String,
    /// What was left out.
    exclude: String,
    /// The whole home, unless something in it could have changed without looking so.
    pub(crate) tree: Option<String>,
    /// Before this, nothing of the home had changed that is not in the snapshot.
    pub(crate) clock: Time,
    databases: Vec<(String, Database)>,
}

/// A database as it was archived.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Database {
    /// What tells this state of its files from any other.
    pub(crate) digest: String,
    /// The size of the one file that it was archived as; nothing if its files were archived as they were.
    pub(crate) rested: Option<u64>,
}

impl Seen {
    pub(crate) fn new(
        snapshot: String,
        exclude: &[String],
        tree: Option<String>,
        clock: Time,
        databases: &HashMap<Name, Database>,
    ) -> Self {
        let named = databases.iter().take(DATABASES);
        let databases = named.map(|(path, one)| (BASE64.encode(path), one.clone())).collect();
        Self { form: FORM, snapshot, exclude: digest(exclude), tree, clock, databases }
    }

    /// The note beside a home, if it is about a home with this left out.
    pub(crate) fn load(place: &HomePlace, exclude: &[String]) -> Option<Self> {
        let path = path(place);
        let meta = fs::symlink_metadata(&path).ok()?;
        if !meta.is_file() || meta.len() > LARGEST {
            return None;
        }
        let seen: Self = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (seen.form == FORM && seen.exclude == digest(exclude)).then_some(seen)
    }

    /// Its databases, by path.
    pub(crate) fn databases(&self) -> HashMap<Name, Database> {
        let decoded = self.databases.iter();
        decoded.filter_map(|(path, one)| Some((BASE64.decode(path).ok()?, one.clone()))).collect()
    }

    /// Keeps it in place of another one.
    pub(crate) fn keep(&self, place: &HomePlace) -> io::Result<()> {
        let path = path(place);
        let beside = path.with_extension("json.new");
        // What a dead process left.
        let _ = fs::remove_file(&beside);
        let mut how = fs::OpenOptions::new();
        let mut file = how.write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        fs::rename(beside, path)
    }
}

fn path(place: &HomePlace) -> PathBuf {
    place.root.join(Path::new("seen.json"))
}

fn digest(exclude: &[String]) -> String {
    let mut hash = Sha256::new();
    for glob in exclude {
        hash.update(glob.len().to_le_bytes());
        hash.update(glob);
    }
    hex(&hash.finalize())
}
