//! A message from a person to a smartbox, from its first row to its answer.

pub mod port;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{MessageId, SmartboxId};
use crate::time::Timestamp;

/// A message. Its row is committed before the engine is called; that is what *accepted* means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its identifier, and the engine's idempotency key.
    pub id: MessageId,
    /// To which box.
    pub smartbox: SmartboxId,
    /// The conversation in the engine; `main` unless chosen.
    pub session: String,
    /// Which channel it came by: `cli`, `api`, …
    pub channel: String,
    /// What the person wrote.
    pub text: String,
    /// Where it is.
    pub state: Delivery,
    /// The whole answer, once there is one.
    pub reply: Option<String>,
    /// Why there is none.
    pub error: Option<String>,
    /// Times that it was handed to the engine.
    pub attempts: u32,
    /// When it was accepted.
    pub created: Timestamp,
    /// When it was answered or given up.
    pub finished: Option<Timestamp>,
}

/// Where a message is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Accepted; the engine has not been called.
    Queued,
    /// The engine was called; it may or may not have it. After a crash its history decides.
    Handed,
    /// Answered.
    Answered,
    /// Given up; the error says why.
    Failed,
}

impl Delivery {
    /// The word in records and replies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Handed => "handed",
            Self::Answered => "answered",
            Self::Failed => "failed",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Queued, Self::Handed, Self::Answered, Self::Failed]
            .into_iter()
            .find(|d| d.as_str() == text)
    }

    /// Whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Answered | Self::Failed)
    }
}

/// What is to be done with a message that an earlier process had handed to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redelivery {
    /// The engine has it and has answered.
    Take(String),
    /// The engine has it, and there is no answer (yet): its turn is under way, or will be, or failed.
    /// Asked by the same key it tells which; that begins no second turn.
    Await,
    /// The engine has never seen it: send.
    Send,
}

/// Decides by the engine's own history, oldest first, so that a crash neither loses a message nor doubles it.
pub fn redeliver(id: &MessageId, history: &[crate::engine::HistoryEntry]) -> Redelivery {
    use crate::engine::Role;
    let Some(at) = history
        .iter()
        .position(|e| e.role == Role::Person && e.idempotency_key.as_deref() == Some(id.as_str()))
    else {
        return Redelivery::Send;
    };
    let answer = history[at + 1..]
        .iter()
        .take_while(|e| e.role != Role::Person)
        .filter(|e| e.role == Role::Assistant && !e.text.is_empty() && e.complete)
        .last();
    match answer {
        Some(entry) => Redelivery::Take(entry.text.clone()),
        None => Redelivery::Await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{HistoryEntry, Role};

    fn entry(role: Role, key: Option<&str>, text: &str) -> HistoryEntry {
        HistoryEntry {
            role,
            text: text.into(),
            idempotency_key: key.map(Into::into),
            at: None,
            complete: true,
        }
    }

    #[test]
    fn history_decides_what_happens_to_a_message_after_a_crash() {
        let id: MessageId = "msg_00000000000000000001".parse().unwrap();
        let other = entry(Role::Person, Some("msg_00000000000000000002"), "other");
        let mine = entry(Role::Person, Some(id.as_str()), "mine");
        let answer = entry(Role::Assistant, None, "answer");
        assert_eq!(redeliver(&id, &[]), Redelivery::Send);
        assert_eq!(redeliver(&id, std::slice::from_ref(&other)), Redelivery::Send);
        assert_eq!(redeliver(&id, std::slice::from_ref(&mine)), Redelivery::Await);
        assert_eq!(
            redeliver(&id, &[mine.clone(), answer.clone()]),
            Redelivery::Take("answer".into())
        );
        assert_eq!(redeliver(&id, &[mine, other, answer]), Redelivery::Await);
    }
}
