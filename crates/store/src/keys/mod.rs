//! The master key: 32 random bytes in a file of their own, outside the database. It wraps the
//! data keys and nothing else. When it is changed, the new one lies beside it (`.next`) until the database
//! is under it: killed half-way, the next start finds both and finishes.

mod file;
mod keyring;
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
    /// What the operator gave is no key.
    #[error(
        "{what} is none: 32 bytes in base64 or hexadecimal; make one with `openssl rand -base64 32`"
    )]
    Given {
        /// Which one.
        what: &'static str,
    },
    /// The keyring has none.
    #[error(
        "the keyring of this user has no readable key `{name}`; put it there before the platform starts: keyctl padd user {name} @u"
    )]
    Keyring {
        /// What it should be called.
        name: String,
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

/// Longer than any key is written.
const LIMIT: usize = 256;

/// The master key at hand.
#[derive(Clone)]
pub struct Keys {
    master: Key,
    id: String,
    /// Another one that the database may be under still, or already: a change was cut off.
    other: Option<(Key, String)>,
    /// The file that it is in, if it is in one.
    file: Option<PathBuf>,
}

impl Keys {
    /// Reads the master key from `path`, or makes a new one there (mode 0600, whole or not at
    /// all, never over another) unless `database` exists already. Blocks on the disk for a moment.
    pub fn load_or_create(
        path: &Path,
        database: &Path,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeysError> {
        let master = file::load_or_create(path, database, entropy)?;
        let next = file::load(&file::next(path))?;
        let other = next.map(|key| (key.clone(), Self::from_bytes(key).id));
        Ok(Self { other, file: Some(path.to_owned()), ..Self::from_bytes(master) })
    }

    /// A key that is in no file, for tests and for stores that end with the process.
    pub fn ephemeral(entropy: &dyn Entropy) -> Self {
        Self::from_bytes(crate::seal::fresh(entropy))
    }

    /// The key's fingerprint, 16 hex digits; it says nothing about the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A key from where the operator keeps it: 32 bytes in base64 or hexadecimal. `before` is the one that
    /// it takes the place of, if the database may be under that still.
    pub fn given(text: &str, before: Option<&str>) -> Result<Self, KeysError> {
        let read = |text, what| {
            let key = file::decode_any(text).ok_or(KeysError::Given { what })?;
            Ok(Self::from_bytes(key))
        };
        let keys = read(text, "the master key that was given")?;
        let before = before.map(|text| read(text, "the master key before it")).transpose()?;
        Ok(Self { other: before.map(|before| (before.master, before.id)), ..keys })
    }

    /// A key that an operator has put into the keyring of the platform's user, in the kernel: what it has
    /// of this name.
    pub fn of_keyring(name: &str) -> Result<Self, KeysError> {
        let absent = || KeysError::Keyring { name: name.to_owned() };
        let text = keyring::read(name, LIMIT).ok_or_else(absent)?;
        let text = std::str::from_utf8(&text).map_err(|_| absent())?;
        Self::given(text, None)
    }

    /// Whether it is in a file of ours, which can be replaced while the platform runs.
    pub fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// A new key beside the file of the present one. Blocks on the disk for a moment.
    pub(crate) fn successor(&self, entropy: &dyn Entropy) -> Result<Option<Self>, KeysError> {
        let Some(path) = &self.file else { return Ok(None) };
        let key = file::make_next(path, entropy)?;
        Ok(Some(Self { file: Some(path.clone()), ..Self::from_bytes(key) }))
    }

    /// Looks whether another key lies beside the file of this one.
    pub(crate) fn look_beside(&mut self) -> Result<(), KeysError> {
        let Some(path) = &self.file else { return Ok(()) };
        let next = file::load(&file::next(path))?;
        self.other = next.map(|key| (key.clone(), Self::from_bytes(key).id));
        Ok(())
    }

    /// Puts a successor, which the database is under by now, in the place of the key.
    pub(crate) fn succeed(&mut self, next: Self) -> Result<(), KeysError> {
        let promoted = self.file.as_ref().map_or(Ok(()), |path| file::promote(path));
        // In force whatever came of the file: the next start finds the other one.
        *self = next;
        promoted
    }

    /// Makes the key with this fingerprint the one in force, which the database is under. Finishes what a
    /// killed process began.
    pub(crate) fn settle(&mut self, id: &str) -> Result<(), KeysError> {
        if let Some((key, _)) = self.other.take_if(|(_, other)| other == id) {
            self.id = id.to_owned();
            self.master = key;
            if let Some(path) = &self.file {
                return file::promote(path);
            }
        }
        // Nothing was ever left sealed under the other one.
        match (&self.file, self.id == id) {
            (Some(path), true) if self.other.take().is_some() => file::drop_next(path),
            _ => Ok(()),
        }
    }

    /// The key with this fingerprint, if it is at hand.
    pub(crate) fn named(&self, id: &str) -> Option<&Key> {
        if self.id == id {
            return Some(&self.master);
        }
        self.other.as_ref().filter(|(_, other)| other == id).map(|(key, _)| key)
    }

    pub(crate) fn master(&self) -> &Key {
        &self.master
    }

    fn from_bytes(master: Key) -> Self {
        let digest =
            Sha256::new().chain_update(b"smartbox-master-1").chain_update(master.as_slice());
        Self { id: hex::encode(&digest.finalize()[..8]), master, other: None, file: None }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.id)
    }
}
