//! The engine: the assistant program inside. Described by a manifest (data), spoken to by an adapter (code).

pub mod port;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::time::Timestamp;

/// Bytes of an answer that the platform keeps. A turn with a longer one has failed, as far as the message
/// is concerned; the engine's own record has what it has.
pub const LONGEST_ANSWER: usize = 4 << 20;

/// What the platform must know of an engine before it speaks to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its name in the platform.
    pub name: String,
    /// The pinned version.
    pub version: String,
    /// The lowest version that the adapter speaks to.
    pub floor: String,
    /// The program and its arguments, as seen inside the box.
    pub argv: Vec<String>,
    /// Its environment, whole: nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// The loopback port it listens on.
    pub port: u16,
    /// The loopback port on which it finds the AI gateway.
    pub model_port: u16,
    /// Its configuration file, relative to the home.
    pub config: String,
    /// The directory in which it works and reads who it is, relative to the home.
    pub workspace: String,
    /// Directories made in the home before it starts, relative to the home.
    #[serde(default)]
    pub dirs: Vec<String>,
    /// Exit codes that mean "the configuration is refused".
    #[serde(default)]
    pub config_exit: Vec<i32>,
    /// A command by which it looks after itself, as seen inside the box: it ends with 0 if all is well.
    #[serde(default)]
    pub doctor: Vec<String>,
    /// Seconds that it gets to become ready before the start counts as failed.
    pub ready_secs: u64,
    /// Seconds that it gets to end after it was asked to.
    pub grace_secs: u64,
}

/// What the platform decides for one box's engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Origins from which browsers may come, like `http://pa.localhost:7777`.
    pub origins: Vec<String>,
    /// The per-box token with which the engine calls the AI gateway; worthless elsewhere.
    pub model_token: String,
    /// The model, as `provider/model`.
    pub model: String,
    /// The name that the assistant's account has in the engine.
    pub owner: String,
}

/// Whether the engine can work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Nothing listens yet.
    Silent,
    /// It listens and is still starting; the phase is its own word.
    Starting(String),
    /// It works.
    Ready,
    /// It finishes its work and takes no more.
    Draining,
}

/// Who speaks in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A person.
    Person,
    /// The assistant.
    Assistant,
    /// A tool's result, or something internal.
    Other,
}

/// One entry of the engine's own history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// Who.
    pub role: Role,
    /// The text of it, without tool calls.
    pub text: String,
    /// The key that the message was sent with.
    pub idempotency_key: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// Whether the turn ended with it (false for text before a tool call, and for an interrupted one).
    pub complete: bool,
}

/// One of the engine's conversations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Conversation {
    /// The engine's key for it: what its history is asked for by.
    pub key: String,
    /// What it is about, if the engine says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When something happened in it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// Messages in it, as far as the engine says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Tokens that it uses of its model's context, as far as the engine says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Whether a turn is under way.
    pub working: bool,
}

/// A part of a list that the engine keeps, and where the next part begins if there is more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T> {
    /// What is listed.
    pub items: Vec<T>,
    /// To be given back as it is.
    pub next: Option<String>,
}

/// A message to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The conversation.
    pub session: String,
    /// What the person wrote.
    pub text: String,
    /// The message's id.
    pub idempotency_key: String,
}

/// What happens during a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", tag = "is", content = "text")]
pub enum TurnEvent {
    /// The engine has taken the message.
    Started,
    /// What it does, in its own word: `starting_model`, `exec`, …
    Doing(String),
    /// More of the answer.
    Delta(String),
    /// The answer so far was a draft: it begins anew with this text.
    Replace(String),
    /// The whole answer. The last event.
    Answered(String),
    /// The turn failed for good. The last event.
    Failed(String),
}

impl TurnEvent {
    /// The end of a turn whose answer nobody would hold.
    pub fn too_long() -> Self {
        let most = LONGEST_ANSWER >> 20;
        Self::Failed(format!("the answer is longer than {most} MiB; ask for it in a file"))
    }

    /// The same, unless it is an answer that is too long to be kept.
    #[must_use]
    pub fn kept(self) -> Self {
        match self {
            Self::Answered(text) if text.len() > LONGEST_ANSWER => Self::too_long(),
            other => other,
        }
    }
}

/// The engine's answer to "may I suspend you?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suspended {
    /// It holds still until it is resumed or this time comes.
    Ready {
        /// Names the lease when resuming.
        lease: String,
        /// When the lease ends by itself, on the engine's clock.
        expires: Timestamp,
    },
    /// It is at work.
    Busy {
        /// At what, for a person.
        why: String,
        /// When to ask again, in milliseconds.
        retry_after_ms: u64,
    },
}

/// What an adapter makes of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// The whole file, as it is to be written.
    pub bytes: Vec<u8>,
    /// Keys of the owner's that the platform's part overrides.
    pub overridden: Vec<String>,
    /// Set if the owner's file could not be read and was left out: why.
    pub unreadable: Option<String>,
}
