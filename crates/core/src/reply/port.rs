//! What a store must do for replies that are kept.

use crate::BoxFuture;
use crate::reply::{Asked, Before};
use crate::secret::Secret;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Replies that are kept, within one unit of work.
pub trait Replies: Send {
    /// Takes the key for what is about to be done by the process `run`, if nobody has it. `digest`
    /// tells one request from another. A key that is older than [`crate::reply::KEPT`] is nobody's;
    /// beyond [`crate::reply::MAX_KEYS`] of the account the oldest are forgotten.
    fn begin(
        &mut self,
        asked: Asked,
        digest: String,
        run: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Before, StoreError>>;
    /// Keeps the reply; `None` if it is too long. Of a key that is forgotten meanwhile nothing is
    /// kept.
    fn keep(
        &mut self,
        asked: Asked,
        reply: Option<Secret<String>>,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Gives the key back: nothing was done.
    fn forget(&mut self, asked: Asked) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Forgets every key that is older than [`crate::reply::KEPT`].
    fn sweep(&mut self, now: Timestamp) -> BoxFuture<'_, Result<(), StoreError>>;
}
