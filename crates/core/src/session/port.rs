//! What a store must do for sessions and tokens.

use crate::BoxFuture;
use crate::id::AccountId;
use crate::session::{Purpose, Session, Token};
use crate::store::StoreError;
use crate::time::Timestamp;

/// Sessions and tokens within one unit of work. Expired ones are never returned.
pub trait Sessions: Send {
    /// Adds a session.
    fn add_session(&mut self, session: Session) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The session whose cookie has this hash.
    fn session(
        &mut self,
        hash: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Session>, StoreError>>;
    /// Ends a session.
    fn end_session(&mut self, hash: String) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Adds a token.
    fn add_token(&mut self, token: Token) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The token with this hash.
    fn token(
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
    /// Revokes every token of this purpose of an account.
    fn revoke(
        &mut self,
        account: AccountId,
        purpose: Purpose,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Deletes what has expired; how many rows.
    fn sweep(&mut self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>>;
}
