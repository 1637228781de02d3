//! What a store must do for sessions.

use crate::BoxFuture;
use crate::id::{AccountId, PersonId, SessionId};
use crate::session::{By, Session};
use crate::store::StoreError;
use crate::time::Timestamp;

/// Sessions within one unit of work. Expired ones are never returned.
pub trait Sessions: Send {
    /// Adds a session.
    fn add(&mut self, session: Session) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Replaces the row with this id: another cookie, another device. [`StoreError::Missing`] if it is gone.
    fn put(&mut self, session: Session) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The one session that this says.
    fn find(
        &mut self,
        by: By,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Session>, StoreError>>;
    /// Notes that a session was used. One that is gone is no error.
    fn seen(&mut self, id: SessionId, at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Ends a session.
    fn end(&mut self, hash: String) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The sessions of an account, the newest first.
    fn list(
        &mut self,
        account: AccountId,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<Session>, StoreError>>;
    /// Ends every session of a person, on every origin; how many.
    fn end_all(&mut self, person: PersonId) -> BoxFuture<'_, Result<u64, StoreError>>;
    /// Deletes what has expired, and what nobody has used since `idle`; how many rows.
    fn sweep(&mut self, now: Timestamp, idle: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>>;
}
