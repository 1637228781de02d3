//! What a store must do for the audit.

use crate::BoxFuture;
use crate::audit::{Act, Entry, Head};
use crate::id::AccountId;
use crate::store::StoreError;

/// The audit within one unit of work: the act and its record are committed together or not at all.
pub trait Audit: Send {
    /// Appends an act to its account's chain and signs the new head.
    fn append(&mut self, act: Act) -> BoxFuture<'_, Result<(), StoreError>>;
    /// At most `limit` entries of an account after `after`, oldest first.
    fn list(
        &mut self,
        account: AccountId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>>;
    /// The signed end of an account's chain.
    fn head(&mut self, account: AccountId) -> BoxFuture<'_, Result<Head, StoreError>>;
    /// Recomputes the whole chain and checks the signed head; the number of the first bad entry.
    fn verify(&mut self, account: AccountId) -> BoxFuture<'_, Result<Option<u64>, StoreError>>;
}
