//! Conversations in memory.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::rows;

/// A message that is accepted and not in the transcript yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) key: String,
    pub(super) text: String,
    pub(super) at: i64,
    /// Set when the puppet was killed before it took the message up.
    #[serde(skip)]
    pub(super) interrupted: bool,
}

/// One conversation.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) rows: Vec<Value>,
    pub(super) pending: Vec<Pending>,
    /// Runs at work or waiting, in order.
    pub(super) runs: Vec<String>,
    /// Runs that this process has finished.
    pub(super) finished: HashSet<String>,
    /// A turn was under way when the puppet was killed, and was not run anew yet.
    pub(super) interrupted: bool,
}

/// All conversations.
#[derive(Debug, Default)]
pub(super) struct Sessions(pub(super) BTreeMap<String, Session>);

impl Sessions {
    pub(super) fn make(&mut self, key: &str, id: &str) {
        let session = self.0.entry(key.to_owned()).or_default();
        if session.id.is_empty() {
            session.id = id.to_owned();
        }
    }

    pub(super) fn add(&mut self, key: &str, row: Value) {
        if let Some(session) = self.0.get_mut(key) {
            session.pending.retain(|item| !rows::is_user(&row, &item.key));
            session.rows.push(row);
        }
    }

    pub(super) fn pend(&mut self, key: &str, item: Pending) {
        if let Some(session) = self.0.get_mut(key) {
            session.pending.retain(|other| other.key != item.key);
            session.pending.push(item);
        }
    }

    /// Marks what a kill cut off. A transcript that ends with a person's row has no answer.
    pub(super) fn interrupted(&mut self) {
        for session in self.0.values_mut() {
            session.interrupted = session.rows.last().is_some_and(|row| row["role"] == "user");
            for item in &mut session.pending {
                item.interrupted = true;
            }
        }
    }
}

impl Session {
    /// Whether the message is in the transcript.
    pub(super) fn has(&self, key: &str) -> bool {
        self.rows.iter().any(|row| rows::is_user(row, key))
    }

    pub(super) fn status(&self) -> &'static str {
        if self.interrupted || !self.runs.is_empty() { "running" } else { "done" }
    }

    /// As `sessions.list` gives it.
    pub(super) fn listed(&self, key: &str) -> Value {
        let time = |row: Option<&Value>| row.map(|row| row["timestamp"].clone());
        let preview: Option<String> =
            self.rows.last().map(|row| rows::text(row).chars().take(80).collect());
        json!({
            "key": key, "sessionId": self.id, "status": self.status(),
            "hasActiveRun": !self.runs.is_empty(), "messageCount": self.rows.len(),
            "createdAt": time(self.rows.first()), "updatedAt": time(self.rows.last()),
            "lastMessagePreview": preview,
        })
    }

    /// Rows as `chat.history` gives them: those that begin so far from the newest.
    pub(super) fn history(&self, key: &str, limit: usize, offset: usize) -> Value {
        let to = self.rows.len().saturating_sub(offset);
        let from = to.saturating_sub(limit);
        let numbered = |(index, row): (usize, &Value)| {
            let mut row = row.clone();
            row["__openclaw"]["seq"] = json!(from + index + 1);
            row
        };
        let messages: Vec<Value> = self.rows[from..to].iter().enumerate().map(numbered).collect();
        let pending: Vec<Value> = self
            .pending
            .iter()
            .map(|item| {
                json!({
                    "runId": item.key, "acceptedAt": item.at,
                    "state": if item.interrupted { "interrupted" } else { "queued" },
                    "message": { "role": "user", "content": item.text, "timestamp": item.at },
                })
            })
            .collect();
        json!({
            "sessionKey": key, "sessionId": self.id, "messages": messages,
            "pendingInputs": { "items": pending, "total": pending.len() },
            "hasMore": from > 0, "nextOffset": (from > 0).then_some(offset + to - from),
            "totalMessages": self.rows.len(),
            "sessionInfo": {
                "key": key, "status": self.status(), "hasActiveRun": !self.runs.is_empty(),
                "activeRunIds": self.runs,
            },
        })
    }
}
