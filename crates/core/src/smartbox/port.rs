//! What a store must do for smartboxes.

use crate::BoxFuture;
use crate::id::{AccountId, SmartboxId};
use crate::smartbox::Smartbox;
use crate::store::StoreError;

/// The smartboxes within one unit of work.
pub trait Boxes: Send {
    /// Adds a box; [`StoreError::Exists`] if its name, label or slot is taken.
    fn add(&mut self, row: Smartbox) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The box with this id.
    fn get(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Option<Smartbox>, StoreError>>;
    /// The box of this account with this name.
    fn named(
        &mut self,
        account: AccountId,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Smartbox>, StoreError>>;
    /// The box with this host label.
    fn labelled(&mut self, label: String) -> BoxFuture<'_, Result<Option<Smartbox>, StoreError>>;
    /// All boxes, by name; of one account if given.
    fn list(
        &mut self,
        account: Option<AccountId>,
    ) -> BoxFuture<'_, Result<Vec<Smartbox>, StoreError>>;
    /// Replaces the row; [`StoreError::Missing`] if it is gone.
    fn put(&mut self, row: Smartbox) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Removes the row and what hangs on it (messages, usage, secrets). Removing twice is once.
    fn remove(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The lowest slot that no box has.
    fn free_slot(&mut self) -> BoxFuture<'_, Result<u32, StoreError>>;
}
