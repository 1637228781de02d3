//! Secrets: values that cannot be printed or serialised, and the vault's port.

pub mod port;

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::id::{AccountId, SmartboxId};
use crate::store::StoreError;
use crate::time::Timestamp;

/// A value that cannot be printed, logged or serialised, and is wiped when dropped.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. The name is meant to be searched for.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whose secret it is. A box's own wins over its account's, and that over the platform's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// For every box of the installation.
    Platform,
    /// For every box of one account.
    Account(AccountId),
    /// For one box.
    Smartbox(SmartboxId),
}

/// What may be shown of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretInfo {
    /// Its name, like `ANTHROPIC_API_KEY`.
    pub name: String,
    /// `platform`, or the id of an account or box.
    pub scope: String,
    /// When its value was last set.
    pub updated: Timestamp,
    /// How often it was set: the revision of its value.
    pub revision: u64,
}

/// Values of a secret that are kept, the present one included.
pub const VERSIONS: u32 = 5;

/// What may be shown of a value that a secret has or had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVersion {
    /// The revision that it was set as.
    pub revision: u64,
    /// When it was set.
    pub updated: Timestamp,
    /// Whether it is the one that is released.
    pub current: bool,
}

/// Which keys a vault is under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultKeys {
    /// The master key's fingerprint, which says nothing about it.
    pub master: String,
    /// The number of the data key.
    pub data_key: i64,
    /// Older data keys that values are still under: a change was cut off.
    pub left: u64,
}

/// What came of a change of the data key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// The number of the data key that is in force.
    pub data_key: i64,
    /// Values that were sealed anew.
    pub resealed: u64,
    /// Whether it went on with one that was cut off.
    pub resumed: bool,
}

/// Why a key is not changed.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The master key is kept where the platform cannot change it: give another one, and start again.
    #[error("the master key is not kept in a file of the platform's")]
    NotOurs,
    /// The key's file could not be read or written.
    #[error("the master key cannot be changed")]
    Key {
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The records failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The name is not one that a secret can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a secret's name; use 1 to 64 of A-Z, 0-9 and _, beginning with a letter")]
pub struct BadSecretName(pub String);

/// Checks a secret's name: the form of an environment variable.
pub fn check_name(name: &str) -> Result<(), BadSecretName> {
    let good = (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if good { Ok(()) } else { Err(BadSecretName(name.chars().take(80).collect())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "Secret(…)");
    }

    #[test]
    fn names_look_like_environment_variables() {
        assert!(check_name("ANTHROPIC_API_KEY").is_ok());
        for bad in ["", "a", "1A", "A-B", "A B", &"A".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
