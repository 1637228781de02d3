//! Taking a message in. When this returns, it is on disk.

use std::sync::Arc;

use smartbox_core::id::{MessageId, SmartboxId};
use smartbox_core::message::{Delivery, Message};
use smartbox_core::smartbox::Desired;
use smartbox_core::store::{self, StoreError};

use crate::control::Control;
use crate::error::ControlError;
use crate::trail::Trail;

/// The longest message, in bytes.
const LONGEST: usize = 256 << 10;

/// What a caller sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// The sender's own id for it: sent twice, it is one message.
    pub id: Option<MessageId>,
    /// The conversation; `main` if none.
    pub session: Option<String>,
    /// By which channel it came.
    pub channel: String,
    /// What the person wrote.
    pub text: String,
}

impl Control {
    /// Accepts a message for a box. It is committed before this returns, and delivered whatever happens then.
    pub async fn accept(
        self: &Arc<Self>,
        id: &SmartboxId,
        new: NewMessage,
    ) -> Result<Message, ControlError> {
        if self.draining.is_cancelled() {
            return Err(ControlError::Draining);
        }
        check(&new)?;
        let row = self
            .row(id)
            .await?
            .filter(|row| !row.removing)
            .ok_or(ControlError::Missing { what: "smartbox" })?;
        self.check_active(&row).await?;
        if row.desired == Desired::Off {
            return Err(ControlError::Off { name: Some(row.name) });
        }
        let message = Message {
            id: new.id.unwrap_or_else(|| MessageId::generate(&*self.parts.entropy)),
            smartbox: id.clone(),
            session: new.session.unwrap_or_else(|| "main".into()),
            channel: new.channel,
            text: new.text,
            state: Delivery::Queued,
            reply: None,
            error: None,
            attempts: 0,
            created: self.parts.clock.now(),
            finished: None,
        };
        let (message, fresh) = self.insert(message).await?;
        if fresh {
            self.live.begin(&message.id, Trail::here());
            self.deliver_soon(&message.smartbox);
        }
        Ok(message)
    }

    async fn insert(&self, message: Message) -> Result<(Message, bool), ControlError> {
        let stored = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                if let Some(known) = tx.messages().get(message.id.clone()).await? {
                    return if known.smartbox == message.smartbox && known.text == message.text {
                        Ok((known, false))
                    } else {
                        Err(StoreError::Exists { what: "message" })
                    };
                }
                tx.messages().add(message.clone()).await?;
                Ok((message, true))
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        Ok(stored)
    }
}

fn check(new: &NewMessage) -> Result<(), ControlError> {
    let refuse =
        |why: &str, hint: &str| Err(ControlError::Refused { why: why.into(), hint: hint.into() });
    if new.text.trim().is_empty() {
        return refuse("the message is empty", "write something");
    }
    if new.text.len() > LONGEST {
        return refuse(
            "the message is longer than 256 KiB",
            "put long texts into a file of the smartbox",
        );
    }
    let good = |s: &String| {
        (1..=100).contains(&s.len())
            && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    if new.session.as_ref().is_some_and(|session| !good(session)) {
        return refuse(
            "that is not a session's name",
            "use 1 to 100 letters, digits, `-`, `_`, `.` or `:`",
        );
    }
    Ok(())
}
