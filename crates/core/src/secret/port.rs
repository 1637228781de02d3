//! What a store must do for secrets, and what a broker may ask of the vault.

use crate::BoxFuture;
use crate::id::SmartboxId;
use crate::secret::{Rotated, RotationError, Scope, Secret, SecretInfo, SecretVersion, VaultKeys};
use crate::store::StoreError;
use crate::time::Timestamp;

/// Sealed secrets within one unit of work. Values go in and come out unsealed; at rest they are sealed.
pub trait Secrets: Send {
    /// Sets a secret, replacing an older value; its revision now. The values before are kept, the newest
    /// [`VERSIONS`](crate::secret::VERSIONS) of them with this one.
    fn set(
        &mut self,
        scope: Scope,
        name: String,
        value: Secret<String>,
    ) -> BoxFuture<'_, Result<u64, StoreError>>;
    /// Opens one secret of exactly this scope.
    fn open(
        &mut self,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>>;
    /// What may be shown of the secrets of this scope, by name.
    fn list(&mut self, scope: Scope) -> BoxFuture<'_, Result<Vec<SecretInfo>, StoreError>>;
    /// The values that are kept of a secret, the newest first; none if there is no such secret.
    fn versions(
        &mut self,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Vec<SecretVersion>, StoreError>>;
    /// Sets a secret to the value that it had at a revision; its revision now.
    /// [`StoreError::Missing`] if that value is not kept.
    fn roll_back(
        &mut self,
        scope: Scope,
        name: String,
        to: u64,
    ) -> BoxFuture<'_, Result<u64, StoreError>>;
    /// Removes a secret with every value that it had; says whether it was there.
    fn remove(&mut self, scope: Scope, name: String) -> BoxFuture<'_, Result<bool, StoreError>>;
    /// Forgets how often secrets were released in minutes before then; how many rows.
    fn sweep_releases(&mut self, before: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>>;
}

/// Changes the keys that everything sealed is under, while everything goes on. A caller that goes away, or
/// a process that is killed, leaves nothing that cannot be opened; what was begun is finished by asking again.
pub trait Rotation: Send + Sync {
    /// Which keys are in force.
    fn keys(&self) -> BoxFuture<'_, Result<VaultKeys, RotationError>>;
    /// Makes another master key, and puts it where the present one is kept. Its fingerprint.
    fn rotate_master(&self) -> BoxFuture<'_, Result<String, RotationError>>;
    /// Makes another data key and seals every value anew, or goes on with that.
    fn rotate_data(&self) -> BoxFuture<'_, Result<Rotated, RotationError>>;
}

/// Releases secrets to brokers (the AI gateway, egress, channels), and to nothing else.
pub trait Release: Send + Sync {
    /// The value of `name` for this box: its own, its account's or the platform's. The release is counted.
    fn release(
        &self,
        id: SmartboxId,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>>;
    /// The value of `name` that is of exactly this scope, the box's own or its account's, and never one
    /// of the same name that somebody else has. The release is counted.
    fn release_of(
        &self,
        id: SmartboxId,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>>;
    /// The same to recognise the value in an answer, and not to send it: not counted, and nothing is
    /// written.
    fn peek_of(
        &self,
        id: SmartboxId,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>>;
}
