//! What an archive of ours says of itself. The manifest comes last: an archive that was cut off has
//! none.

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::labels::Labels;
use crate::smartbox::{Kind, SleepChoice, Smartbox};
use crate::time::Timestamp;

/// The format that is written, and the highest that is read.
pub const FORMAT: u32 = 1;
/// The box's record.
pub const BOX: &str = "box.json";
/// The directory with the home in it.
pub const HOME: &str = "home";
/// The manifest.
pub const MANIFEST: &str = "smartbox-export.json";

/// The name of a part of the history, from 1: `history.ndjson`, `history.2.ndjson`, …
pub fn history_part(number: usize) -> String {
    if number <= 1 { "history.ndjson".into() } else { format!("history.{number}.ndjson") }
}

/// What is told of a box: what its owner decided. Nothing here is a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// What people call it.
    #[serde(default)]
    pub display: String,
    /// What its owner sorts it by.
    #[serde(default)]
    pub labels: Labels,
    /// The template that it was made from.
    pub kind: Kind,
    /// Its tier.
    pub tier: String,
    /// Its engine, by name.
    pub engine: String,
    /// When it sleeps, where its owner decided.
    #[serde(default)]
    pub sleep: SleepChoice,
    /// When it was made.
    pub created: Timestamp,
    /// The name of its account.
    #[serde(default)]
    pub account: String,
}

impl Record {
    /// That of a box.
    pub fn of(row: &Smartbox, account: &Account) -> Self {
        Self {
            name: row.name.clone(),
            display: row.display.clone(),
            labels: row.labels.clone(),
            kind: row.kind.clone(),
            tier: row.tier.clone(),
            engine: row.engine.clone(),
            sleep: row.sleep,
            created: row.created,
            account: account.name.clone(),
        }
    }
}

/// A part of an archive, and its SHA-256 in hexadecimal. That of the home is taken over a line for each
/// thing in it, in the archive's order: its kind (`f`, `d`, `l`), its mode in octal, the SHA-256 of its
/// bytes (of a link's target), and its path, with a zero byte at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its digest.
    pub sha256: String,
    /// Files and links in it, or lines.
    pub count: u64,
    /// Bytes of all of them together.
    pub bytes: u64,
}

/// The last entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the archive.
    pub format: u32,
    /// The version of the platform that made it.
    pub made_by: String,
    /// When it was made.
    pub made: Timestamp,
    /// The version of the engine that the home was last used by.
    pub engine_version: String,
    /// Its parts.
    pub parts: Vec<Part>,
}
