//! Messages and their answers on the wire. Live events are [`TurnEvent`]s as server-sent events;
//! see [`crate::sse`].

use serde::{Deserialize, Serialize};
pub use smartbox_core::engine::{Conversation, HistoryEntry, Role, TurnEvent};
use smartbox_core::id::{MessageId, SmartboxId};
pub use smartbox_core::message::Delivery;
use smartbox_core::message::Message;
use smartbox_core::time::Timestamp;
use utoipa::ToSchema;

/// The longest text of a message, in bytes.
pub const MAX_TEXT: usize = 256 << 10;

/// A message to a smartbox. Once the reply is there it is committed, whatever dies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// Chosen by the sender so that sending twice is once; made by the platform if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// What to say.
    pub text: String,
    /// The conversation; `main` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Which channel it comes by: `cli`, `api`, …; `api` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// A message as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageView {
    /// Its identifier.
    pub id: MessageId,
    /// To which box.
    pub smartbox: SmartboxId,
    /// The conversation.
    pub session: String,
    /// Which channel it came by.
    pub channel: String,
    /// What the person wrote.
    pub text: String,
    /// Where it is.
    pub state: Delivery,
    /// The whole answer, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Times that it was handed to the engine.
    pub attempts: u32,
    /// When it was accepted.
    pub created: Timestamp,
    /// When it was answered or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
}

impl From<Message> for MessageView {
    fn from(m: Message) -> Self {
        Self {
            id: m.id,
            smartbox: m.smartbox,
            session: m.session,
            channel: m.channel,
            text: m.text,
            state: m.state,
            reply: m.reply,
            error: m.error,
            attempts: m.attempts,
            created: m.created,
            finished: m.finished,
        }
    }
}
