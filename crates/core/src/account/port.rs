//! What a store must do for accounts.

use crate::BoxFuture;
use crate::account::Account;
use crate::id::AccountId;
use crate::store::StoreError;

/// The accounts within one unit of work.
pub trait Accounts: Send {
    /// Adds an account; [`StoreError::Exists`] if the name is taken.
    fn add(&mut self, account: Account) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The account with this id.
    fn get(&mut self, id: AccountId) -> BoxFuture<'_, Result<Option<Account>, StoreError>>;
    /// The account with this name.
    fn named(&mut self, name: String) -> BoxFuture<'_, Result<Option<Account>, StoreError>>;
    /// All accounts, by name.
    fn list(&mut self) -> BoxFuture<'_, Result<Vec<Account>, StoreError>>;
}
