//! The messages that were accepted for a box. Wakes nothing.

use smartbox_core::id::{MessageId, SmartboxId};
use smartbox_core::message::Message;
use smartbox_core::store;

use crate::control::Control;
use crate::error::ControlError;

impl Control {
    /// Messages of a box, newest first: those accepted before one of them, or the newest.
    pub async fn messages(
        &self,
        id: &SmartboxId,
        before: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<Message>, ControlError> {
        let id = id.clone();
        Ok(store::read(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.messages().page(id, before, limit).await })
        })
        .await?)
    }
}
