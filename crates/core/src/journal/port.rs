//! What a store must do for journals.

use crate::BoxFuture;
use crate::id::SmartboxId;
use crate::journal::Entry;
use crate::store::StoreError;
use crate::time::Timestamp;

/// The journals within one unit of work.
pub trait Journal: Send {
    /// Adds entries of one box; those beyond [`crate::journal::MOST`] are forgotten. Of a box that is
    /// gone nothing is kept.
    fn note(&mut self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), StoreError>>;
    /// At most `limit` of the newest entries of a box after the place `after` and since a time, oldest
    /// first, each with its place.
    fn read(
        &mut self,
        id: SmartboxId,
        after: u64,
        since: Timestamp,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<(u64, Entry)>, StoreError>>;
}
