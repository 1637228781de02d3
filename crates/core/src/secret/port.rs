//! What a store must do for secrets, and what a broker may ask of the vault.

use crate::BoxFuture;
use crate::id::SmartboxId;
use crate::secret::{Scope, Secret, SecretInfo};
use crate::store::StoreError;
use crate::time::Timestamp;

/// Sealed secrets within one unit of work. Values go in and come out unsealed; at rest they are sealed.
pub trait Secrets: Send {
    /// Sets a secret, replacing an older value; its revision now.
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
    /// Removes a secret; says whether it was there.
    fn remove(&mut self, scope: Scope, name: String) -> BoxFuture<'_, Result<bool, StoreError>>;
    /// Forgets how often secrets were released in minutes before then; how many rows.
    fn sweep_releases(&mut self, before: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>>;
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
