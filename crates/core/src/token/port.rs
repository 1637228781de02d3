//! What a store must do for tokens.

use crate::BoxFuture;
use crate::id::{AccountId, TokenId};
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::token::{Purpose, Token};

/// Tokens within one unit of work. Expired ones are never returned, but for [`Tokens::list`].
pub trait Tokens: Send {
    /// Adds a token.
    fn add(&mut self, token: Token) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The token with this hash.
    fn find(
        &mut self,
        hash: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Token>, StoreError>>;
    /// Takes a token out: of two that burn it, one gets it.
    fn burn(
        &mut self,
        hash: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Token>, StoreError>>;
    /// Tokens of an account of this purpose, or everybody's; the newest first.
    fn list(
        &mut self,
        account: Option<AccountId>,
        purpose: Purpose,
    ) -> BoxFuture<'_, Result<Vec<Token>, StoreError>>;
    /// Notes that a token was used. One that is gone is no error.
    fn used(&mut self, id: TokenId, at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Revokes a token; whether there was one.
    fn revoke(&mut self, id: TokenId) -> BoxFuture<'_, Result<bool, StoreError>>;
    /// Revokes every token of this purpose of an account.
    fn revoke_all(
        &mut self,
        account: AccountId,
        purpose: Purpose,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Deletes what has expired; how many rows.
    fn sweep(&mut self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>>;
}
