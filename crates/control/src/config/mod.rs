//! The engine's configuration of a box, as its owner reads and changes it.
//!
//! The truth is the file in the home, which the engine and the assistant write, too; the history is in
//! the records. A change is merged, checked against the engine's own schema and against what stood in
//! the file when it was read, written whole, and then followed until the running engine has taken it
//! up. What the engine does not want is taken back.

mod apply;
mod change;
mod fall_back;
mod file;
mod get;
mod history;
mod once;
mod record;
mod reload;

use serde_json::Value;
use sha2::{Digest, Sha256};
use smartbox_core::config::diff::Change;
use smartbox_core::config::{Applied, Fault, Revision, canonical};

pub(crate) use change::bounded;
pub(crate) use file::Found;
pub(crate) use once::{Mark, Once};

/// A box's configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Another one for every other document of the owner's.
    pub digest: String,
    /// What the owner wrote, without the platform's part.
    pub owner: Value,
    /// What the engine is started with; the platform's credentials are masked.
    pub effective: Value,
    /// The keys that are the platform's.
    pub platform: Vec<String>,
    /// Keys of the file's that the platform's part overrides.
    pub overridden: Vec<String>,
    /// Why the file cannot be read, if it cannot; the documents are those without it then.
    pub unreadable: Option<String>,
    /// The newest revision of this document, if it is one that is known. Anything else was written by
    /// the engine or the assistant since, and becomes a revision when the next change is made.
    pub revision: Option<Revision>,
}

/// How a configuration is to be changed.
#[derive(Debug, Clone, PartialEq)]
pub enum How {
    /// This document in the old one's place.
    Replace(Value),
    /// A merge patch (RFC 7396); a top-level `model` is the assistant's model.
    Patch(Value),
    /// The document of a revision.
    Roll {
        /// Its number.
        back_to: u64,
    },
}

/// What must be so, and whether to do it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// The document's digest must be one of these.
    pub digests: Option<Vec<String>>,
    /// Only say what would come of it.
    pub dry_run: bool,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The revision in force; none if nothing was ever written.
    pub revision: Option<u64>,
    /// The new document's digest.
    pub digest: String,
    /// What differs in the owner's document.
    pub changes: Vec<Change>,
    /// Keys that were asked for and are the platform's.
    pub overridden: Vec<String>,
    /// What the engine's schema does not allow; only of a dry run, anything else is refused then.
    pub faults: Vec<Fault>,
    /// What it needs to be in force; none for a dry run.
    pub applied: Option<Applied>,
}

/// A revision with its document.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The revision.
    pub revision: Revision,
    /// The owner's document.
    pub owner: Value,
    /// What it is compared with: another revision's number, or none for what there was before all.
    pub against: Option<u64>,
    /// What differs from that.
    pub changes: Vec<Change>,
}

/// What tells one document of an owner from another.
pub(crate) fn digest(owner: &Value) -> String {
    hex::encode(Sha256::digest(canonical(owner).as_bytes()))
}
