//! Messages in memory.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::id::{MessageId, SmartboxId};
use smartbox_core::message::Message;
use smartbox_core::message::port::Messages;
use smartbox_core::store::StoreError;

use super::records::Records;

impl Records<'_> {
    fn add_message(&mut self, message: Message) -> Result<(), StoreError> {
        self.change()?;
        if self.state.places.contains_key(&message.id) {
            return Err(StoreError::Exists { what: "message" });
        }
        self.need_box(&message.smartbox, "smartbox")?;
        let place = self.state.accepted;
        self.state.accepted += 1;
        Arc::make_mut(&mut self.state.places).insert(message.id.clone(), place);
        Arc::make_mut(&mut self.state.messages).insert(place, message);
        Ok(())
    }

    fn put_message(&mut self, message: Message) -> Result<(), StoreError> {
        self.change()?;
        let place =
            *self.state.places.get(&message.id).ok_or(StoreError::Missing { what: "message" })?;
        self.need_box(&message.smartbox, "smartbox")?;
        Arc::make_mut(&mut self.state.messages).insert(place, message);
        Ok(())
    }
}

impl Records<'_> {
    fn message_page(
        &self,
        id: &SmartboxId,
        before: Option<&MessageId>,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let before = match before {
            None => u64::MAX,
            Some(message) => {
                let place = self.state.places.get(message);
                let of_box = |place: &&u64| {
                    self.state.messages.get(place).is_some_and(|message| message.smartbox == *id)
                };
                *place.filter(of_box).ok_or(StoreError::Missing { what: "message" })?
            }
        };
        let older = self.state.messages.range(..before).rev().map(|(_, message)| message);
        Ok(older.filter(|m| m.smartbox == *id).take(limit as usize).cloned().collect())
    }
}

impl Messages for Records<'_> {
    fn add(&mut self, message: Message) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.add_message(message)))
    }

    fn get(&mut self, id: MessageId) -> BoxFuture<'_, Result<Option<Message>, StoreError>> {
        let found = self.state.places.get(&id).and_then(|place| self.state.messages.get(place));
        Box::pin(ready(Ok(found.cloned())))
    }

    fn put(&mut self, message: Message) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.put_message(message)))
    }

    fn open(&mut self, id: Option<SmartboxId>) -> BoxFuture<'_, Result<Vec<Message>, StoreError>> {
        let wanted =
            |m: &&Message| !m.state.is_final() && id.as_ref().is_none_or(|id| m.smartbox == *id);
        let rows = self.state.messages.values().filter(wanted).cloned().collect();
        Box::pin(ready(Ok(rows)))
    }

    fn page(
        &mut self,
        id: SmartboxId,
        before: Option<MessageId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Message>, StoreError>> {
        Box::pin(ready(self.message_page(&id, before.as_ref(), limit)))
    }

    fn recent(
        &mut self,
        id: SmartboxId,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Message>, StoreError>> {
        let of_box = self.state.messages.values().rev().filter(|m| m.smartbox == id);
        let mut rows: Vec<_> = of_box.take(limit as usize).cloned().collect();
        rows.reverse();
        Box::pin(ready(Ok(rows)))
    }
}
