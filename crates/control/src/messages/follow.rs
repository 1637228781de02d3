//! Watching a message be answered, and finding it again later.

use std::sync::Arc;

use futures_util::stream;
use smartbox_core::BoxStream;
use smartbox_core::engine::TurnEvent;
use smartbox_core::id::MessageId;
use smartbox_core::message::{Delivery, Message};
use smartbox_core::store;
use tokio::sync::watch;

use super::live::{Seen, Turn};
use crate::control::Control;
use crate::error::ControlError;

impl Control {
    /// A message and where it is.
    pub async fn message(&self, id: &MessageId) -> Result<Message, ControlError> {
        let id = id.clone();
        let found = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.messages().get(id).await })
        })
        .await?;
        found.ok_or(ControlError::Missing { what: "message" })
    }

    /// What happens to a message until its last event. A watcher who comes late gets the text so far first; one
    /// who comes after the end gets the last event.
    pub fn follow(self: &Arc<Self>, id: &MessageId) -> BoxStream<'static, TurnEvent> {
        let watcher = Watcher {
            control: self.clone(),
            id: id.clone(),
            live: self.live.find(id),
            seen: Seen::default(),
            over: false,
            ready: Vec::new(),
        };
        Box::pin(stream::unfold(watcher, |mut watcher| async move {
            watcher.next().await.map(|event| (event, watcher))
        }))
    }
}

struct Watcher {
    control: Arc<Control>,
    id: MessageId,
    live: Option<watch::Receiver<Turn>>,
    seen: Seen,
    over: bool,
    /// Events to hand out, last first.
    ready: Vec<TurnEvent>,
}

impl Watcher {
    async fn next(&mut self) -> Option<TurnEvent> {
        loop {
            if let Some(event) = self.ready.pop() {
                self.over = matches!(event, TurnEvent::Answered(_) | TurnEvent::Failed(_));
                return Some(event);
            }
            if self.over {
                return None;
            }
            let Some(live) = &mut self.live else { return self.last_event().await };
            self.ready = live.borrow_and_update().since(&mut self.seen);
            self.ready.reverse();
            if self.ready.is_empty() {
                let draining = self.control.draining.clone();
                match draining.run_until_cancelled(live.changed()).await {
                    None => return None,
                    Some(Err(_)) => self.live = None,
                    Some(Ok(())) => {}
                }
            }
        }
    }

    async fn last_event(&mut self) -> Option<TurnEvent> {
        self.over = true;
        let message = self.control.message(&self.id).await.ok()?;
        match message.state {
            Delivery::Answered => Some(TurnEvent::Answered(message.reply.unwrap_or_default())),
            Delivery::Failed => Some(TurnEvent::Failed(message.error.unwrap_or_default())),
            Delivery::Queued | Delivery::Handed => None,
        }
    }
}
