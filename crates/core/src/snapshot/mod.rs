//! A snapshot: an encrypted, immutable copy of a home as of one moment, and the rules that decide which
//! one is a box's newest and which may go. Bytes are a driver's business ([`port::Snapshots`]).

mod generation;
mod key;
pub mod port;
pub mod record;
mod retention;

pub use generation::{Begin, Claim, Claiming, Generation, Lineage, Named, Settle, Standing};
pub use key::RepositoryKey;
pub use retention::{BadKeep, Dated, Keep};

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::SmartboxId;
use crate::time::Timestamp;

/// A snapshot's identifier: what the storage calls it, 64 characters of hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotId(String);

/// The text is not a snapshot's identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a snapshot's id: 64 characters of 0-9 and a-f")]
pub struct BadSnapshotId(pub String);

impl SnapshotId {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for SnapshotId {
    type Err = BadSnapshotId;
    fn from_str(text: &str) -> Result<Self, BadSnapshotId> {
        let good = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadSnapshotId(text.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for SnapshotId {
    type Error = BadSnapshotId;
    fn try_from(text: String) -> Result<Self, BadSnapshotId> {
        text.parse()
    }
}

impl From<SnapshotId> for String {
    fn from(id: SnapshotId) -> Self {
        id.0
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A snapshot, as its storage knows it. Whether it is a generation of its box, the box's row says
/// ([`Lineage::standing`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its identifier.
    pub id: SnapshotId,
    /// The claim under which it was taken.
    pub claim: Claim,
    /// When.
    pub taken: Timestamp,
    /// How many files.
    pub files: u64,
    /// How many bytes they hold.
    pub bytes: u64,
}

/// What there is of a box. Nothing is an answer; that it could not be read is an error, and another
/// type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shelf {
    /// The repository is there and has no snapshot yet.
    NoneYet,
    /// At least one, oldest first by claim.
    Some(Vec<Snapshot>),
}

/// Which repository, and what opens it.
#[derive(Debug, Clone)]
pub struct RepositoryOf {
    /// Whose.
    pub smartbox: SmartboxId,
    /// Its master key.
    pub key: RepositoryKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_hexadecimal_and_nothing_else() {
        assert!("ab".repeat(32).parse::<SnapshotId>().is_ok());
        for bad in ["", "latest", "../../etc", &"AB".repeat(32), &"g".repeat(64)] {
            assert!(bad.parse::<SnapshotId>().is_err(), "{bad}");
        }
    }
}
