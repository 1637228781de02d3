//! The vault's keys on the wire: which there are, and that one is to be changed. No key is ever in it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which keys the vault is under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VaultView {
    /// The master key's fingerprint, which says nothing about it.
    pub master: String,
    /// Where the master key is kept: `file`, `env` or `keyring`.
    pub kept_in: String,
    /// The number of the data key.
    pub data_key: i64,
    /// Older data keys that values are still under: a change was cut off, and the next one goes on
    /// with it.
    pub left: u64,
}

/// A key that can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum VaultKey {
    /// The one that wraps the others, and is kept outside of the database.
    Master,
    /// The one that values are sealed with.
    Data,
}

/// Which key is to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateVault {
    /// This one.
    pub what: VaultKey,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VaultRotated {
    /// The master key's fingerprint now.
    pub master: String,
    /// The number of the data key now.
    pub data_key: i64,
    /// Values that were sealed anew; none if the master key was changed.
    pub resealed: u64,
    /// Whether it went on with a change that was cut off.
    pub resumed: bool,
}
