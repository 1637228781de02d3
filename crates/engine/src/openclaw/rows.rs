//! The rows of the engine's transcript, as `chat.history` gives them.

use serde::Deserialize;
use serde_json::json;
use smartbox_core::engine::port::EngineError;
use smartbox_core::engine::{HistoryEntry, Role};
use smartbox_core::time::Timestamp;

use crate::gateway::garbled;
use crate::gateway::loose::{Text, list};
use crate::gateway::socket::Socket;
use crate::gateway::wire::Refusal;

/// The most that the engine gives in one page.
pub(super) const MAX_ROWS: u32 = 1_000;
/// Characters of one text before the engine cuts it off; its own upper limit.
const MAX_CHARS: u32 = 500_000;
/// Characters of a reason that are passed on.
pub(super) const LONGEST_REASON: usize = 2_000;
/// How the engine begins a row that it wrote in a person's place.
const SYSTEM: &str = "[System] ";

/// One page of a conversation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    /// Absent if there is no such conversation yet.
    #[serde(default)]
    pub(super) session_id: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub(super) messages: Vec<Row>,
    #[serde(default)]
    pub(super) session_info: SessionInfo,
    /// Whether there are older rows, and how far from the newest they begin.
    #[serde(default)]
    pub(super) has_more: bool,
    pub(super) next_offset: Option<u64>,
}

/// What the conversation is doing.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SessionInfo {
    pub(super) status: Option<String>,
    pub(super) has_active_run: bool,
}

/// One row.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Row {
    role: String,
    content: Text,
    timestamp: Option<i64>,
    idempotency_key: Option<String>,
    stop_reason: Option<String>,
    custom_type: Option<String>,
    #[serde(rename = "__openclaw")]
    own: Own,
}

/// The engine's own notes on a row.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Own {
    seq: Option<u64>,
    run_id: Option<String>,
    idempotency_key: Option<String>,
}

impl Page {
    /// Reads the newest rows, oldest first.
    pub(super) async fn read(
        socket: &mut Socket,
        session: &str,
        limit: u32,
    ) -> Result<Self, EngineError> {
        Self::try_read(socket, session, limit).await?.map_err(Refusal::into_error)
    }

    /// The same, with the engine's own refusal.
    pub(super) async fn try_read(
        socket: &mut Socket,
        session: &str,
        limit: u32,
    ) -> Result<Result<Self, Refusal>, EngineError> {
        Self::ask(socket, session, limit, 0).await
    }

    /// Reads rows that begin so far from the newest, oldest first.
    pub(super) async fn read_from(
        socket: &mut Socket,
        session: &str,
        limit: u32,
        offset: u64,
    ) -> Result<Self, EngineError> {
        Self::ask(socket, session, limit, offset).await?.map_err(Refusal::into_error)
    }

    async fn ask(
        socket: &mut Socket,
        session: &str,
        limit: u32,
        offset: u64,
    ) -> Result<Result<Self, Refusal>, EngineError> {
        let mut params = json!({
            "sessionKey": session, "limit": limit.clamp(1, MAX_ROWS), "maxChars": MAX_CHARS,
        });
        if offset > 0 {
            params["offset"] = json!(offset);
        }
        match socket.try_call("chat.history", params).await? {
            Ok(answer) => match answer.read() {
                Ok(page) => Ok(Ok(page)),
                Err(e) => Err(garbled(format!("its history: {e}"))),
            },
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Whether a turn is under way, or was when the engine was killed.
    pub(super) fn at_work(&self) -> bool {
        self.session_info.has_active_run || self.session_info.status.as_deref() == Some("running")
    }
}

impl Row {
    /// The key that the message was sent with.
    pub(super) fn key(&self) -> Option<&str> {
        if self.role != "user" {
            return None;
        }
        let key = self.idempotency_key.as_deref().or(self.own.idempotency_key.as_deref())?;
        key.strip_suffix(":user")
    }

    /// Its number in the transcript.
    pub(super) fn seq(&self) -> Option<u64> {
        self.own.seq
    }

    /// Whether a person wrote it.
    pub(super) fn is_person(&self) -> bool {
        self.role == "user" && !self.text().starts_with(SYSTEM)
    }

    /// Whether it belongs to the run with this id.
    pub(super) fn is_of_run(&self, run: &str) -> bool {
        self.own.run_id.as_deref() == Some(run)
    }

    /// Whether it is an assistant's text that a turn ends with.
    pub(super) fn is_answer(&self) -> bool {
        self.role == "assistant" && self.complete() && !self.text().is_empty()
    }

    /// The engine's words for a turn that failed.
    pub(super) fn failure(&self) -> Option<String> {
        let failed = self.role == "custom"
            && self.custom_type.as_deref().is_some_and(|t| t.starts_with("run-failed"))
            || self.role == "assistant"
                && matches!(self.stop_reason.as_deref(), Some("error" | "aborted"));
        failed.then(|| self.text().chars().take(LONGEST_REASON).collect())
    }

    /// The text of it, without tool calls.
    pub(super) fn text(&self) -> &str {
        &self.content.0
    }

    fn complete(&self) -> bool {
        !matches!(self.stop_reason.as_deref(), Some("toolUse" | "aborted" | "error"))
    }

    /// The row as the platform's history tells it.
    pub(super) fn entry(&self) -> HistoryEntry {
        let role = match self.role.as_str() {
            "user" if self.is_person() => Role::Person,
            "assistant" => Role::Assistant,
            _ => Role::Other,
        };
        HistoryEntry {
            role,
            text: self.text().to_owned(),
            idempotency_key: self.key().map(str::to_owned),
            at: self.timestamp.map(Timestamp),
            complete: self.complete(),
        }
    }
}
