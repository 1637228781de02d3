//! What a store must do for accounts.

use crate::BoxFuture;
use crate::account::Account;
use crate::id::AccountId;
use crate::store::StoreError;
use crate::time::Timestamp;

/// The accounts within one unit of work.
pub trait Accounts: Send {
    /// Adds an account; [`StoreError::Exists`] if the name is taken.
    fn add(&mut self, account: Account) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The account with this id.
    fn get(&mut self, id: AccountId) -> BoxFuture<'_, Result<Option<Account>, StoreError>>;
    /// The account with this name.
    fn named(&mut self, name: String) -> BoxFuture<'_, Result<Option<Account>, StoreError>>;
    /// Replaces the row; [`StoreError::Missing`] if it is gone.
    fn put(&mut self, account: Account) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Removes an account that has no box left, with its tokens, sessions and secrets. Its audit
    /// stays, and its name is free again. Removing twice is once.
    fn bury(&mut self, id: AccountId, at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>>;
    /// All accounts, by name.
    fn list(&mut self) -> BoxFuture<'_, Result<Vec<Account>, StoreError>>;
}
