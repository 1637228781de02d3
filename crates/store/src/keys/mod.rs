//! The master key: 32 random bytes in a file of their own, outside the database. It wraps the
//! data key and nothing else. Changing it is not here yet; the records carry key ids for it.

mod file;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use smartbox_core::id::Entropy;

use crate::seal::Key;

/// Why there is no master key. Each says what a person can do.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The database is there and its key is not: never answered with a new key.
    #[error(
        "the master key file {path} is missing, but the database {database} was made with it; put the file back from a backup, or move the database away to begin anew"
    )]
    Lost {
        /// Where the key should be.
        path: PathBuf,
        /// The database that needs it.
        database: PathBuf,
    },
    /// Others may read it.
    #[error(
        "the master key file {path} is open to others (mode {mode:04o}); run: chmod 600 {path}"
    )]
    Permissions {
        /// The key's file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It does not hold a key.
    #[error(
        "the master key file {path} does not hold a key (32 bytes in base64); put it back from a backup"
    )]
    Malformed {
        /// The key's file.
        path: PathBuf,
    },
    /// It could not be read or made.
    #[error("the master key file {path} cannot be {doing}")]
    Io {
        /// The key's file.
        path: PathBuf,
        /// `read` or `made`.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The master key at hand.
#[derive(Clone)]
pub struct Keys {
    master: Key,
    id: String,
}

impl Keys {
    /// Reads the master key from `path`, or makes a new one there (mode 0600, whole or not at
    /// all, never over another) unless `database` exists already. Blocks on the disk for a moment.
    pub fn load_or_create(
        path: &Path,
        database: &Path,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeysError> {
        file::load_or_create(path, database, entropy).map(Self::from_bytes)
    }

    /// A key that is in no file, for tests and for stores that end with the process.
    pub fn ephemeral(entropy: &dyn Entropy) -> Self {
        Self::from_bytes(crate::seal::fresh(entropy))
    }

    /// The key's fingerprint, 16 hex digits; it says nothing about the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn master(&self) -> &Key {
        &self.master
    }

    fn from_bytes(master: Key) -> Self {
        let digest =
            Sha256::new().chain_update(b"smartbox-master-1").chain_update(master.as_slice());
        Self { id: hex::encode(&digest.finalize()[..8]), master }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.id)
    }
}
