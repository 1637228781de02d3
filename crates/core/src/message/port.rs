//! What a store must do for messages.

use crate::BoxFuture;
use crate::id::{MessageId, SmartboxId};
use crate::message::Message;
use crate::store::StoreError;

/// The messages within one unit of work.
pub trait Messages: Send {
    /// Adds a message; [`StoreError::Exists`] if its id is there already.
    fn add(&mut self, message: Message) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The message with this id.
    fn get(&mut self, id: MessageId) -> BoxFuture<'_, Result<Option<Message>, StoreError>>;
    /// Replaces a message.
    fn put(&mut self, message: Message) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Messages that are not in a final state, oldest first; of one box if given.
    fn open(&mut self, id: Option<SmartboxId>) -> BoxFuture<'_, Result<Vec<Message>, StoreError>>;
    /// Messages of a box, newest first: those that were accepted before one of them, or the newest.
    /// [`StoreError::Missing`] if that one is not the box's.
    fn page(
        &mut self,
        id: SmartboxId,
        before: Option<MessageId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Message>, StoreError>>;
    /// The newest `limit` messages of a box, oldest first.
    fn recent(
        &mut self,
        id: SmartboxId,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Message>, StoreError>>;
}
