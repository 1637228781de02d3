//! The engine's conversations, and their history in pages.

use serde::Deserialize;
use serde_json::json;
use smartbox_core::BoxFuture;
use smartbox_core::engine::port::{Conversations, EngineError};
use smartbox_core::engine::{Conversation, HistoryEntry, Part};
use smartbox_core::sandbox::port::Dial;
use smartbox_core::time::Timestamp;

use super::rows::{Page, Row};
use super::{OpenClaw, session_key};
use crate::gateway::garbled;
use crate::gateway::loose::list;

/// Characters of a title that are passed on.
const TITLE: usize = 120;
/// Conversations that are asked for at once, at most.
const MOST: u32 = 200;
/// The furthest that a cursor leads.
const FURTHEST: u64 = 10_000_000;
/// Pages that are read to fill one: more than that only if rows come in faster than they are read.
const TRIES: usize = 8;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default, deserialize_with = "list")]
    sessions: Vec<Told>,
    #[serde(default)]
    has_more: bool,
    next_offset: Option<u64>,
}

/// A conversation as `sessions.list` tells it; of several names for a thing the first is taken.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    key: String,
    label: Option<String>,
    display_name: Option<String>,
    derived_title: Option<String>,
    last_message_preview: Option<String>,
    created_at: Option<i64>,
    updated_at: Option<i64>,
    total_tokens: Option<u64>,
    #[serde(default)]
    has_active_run: bool,
    status: Option<String>,
    message_count: Option<u64>,
    context_budget_status: Option<Budget>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Budget {
    message_count: Option<u64>,
}

impl From<Told> for Conversation {
    fn from(told: Told) -> Self {
        let names = [told.label, told.derived_title, told.display_name, told.last_message_preview];
        let title = names.into_iter().flatten().find(|name| !name.trim().is_empty());
        let plain = |text: String| {
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TITLE).collect()
        };
        let count = told.context_budget_status.and_then(|budget| budget.message_count);
        Self {
            key: told.key,
            title: title.map(plain),
            created: told.created_at.map(Timestamp),
            updated: told.updated_at.map(Timestamp),
            messages: told.message_count.or(count),
            tokens: told.total_tokens,
            working: told.has_active_run || told.status.as_deref() == Some("running"),
        }
    }
}

impl Conversations for OpenClaw {
    fn list<'a>(
        &'a self,
        dial: &'a dyn Dial,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Part<Conversation>, EngineError>> {
        Box::pin(async move {
            let offset = after.map_or(Ok(0), number)?;
            let params = json!({
                "limit": limit.clamp(1, MOST), "offset": offset,
                "includeDerivedTitles": true, "includeLastMessage": true,
            });
            let answer = self.ask(dial, "sessions.list", params).await?;
            let listed: Listed =
                answer.read().map_err(|e| garbled(format!("its conversations: {e}")))?;
            let next = listed.next_offset.filter(|next| listed.has_more && *next > offset);
            let items = listed.sessions.into_iter().map(Conversation::from).collect();
            Ok(Part { items, next: next.map(|next| next.to_string()) })
        })
    }

    fn page<'a>(
        &'a self,
        dial: &'a dyn Dial,
        session: &'a str,
        before: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Part<HistoryEntry>, EngineError>> {
        Box::pin(page(self, dial, session, before, limit))
    }
}

/// The engine pages by distance from the newest row, which moves when rows are added. So a cursor
/// holds the number of the oldest row that was given, too: rows that moved into the page are left out.
async fn page(
    engine: &OpenClaw,
    dial: &dyn Dial,
    session: &str,
    before: Option<&str>,
    limit: u32,
) -> Result<Part<HistoryEntry>, EngineError> {
    let (mut offset, mut oldest) = match before {
        None => (0, u64::MAX),
        Some(cursor) => {
            let (offset, oldest) = cursor.split_once('.').ok_or_else(unknown_cursor)?;
            (number(offset)?, number(oldest)?)
        }
    };
    let mut socket = engine.program(dial).await?;
    for _ in 0..TRIES {
        let page = Page::read_from(&mut socket, &session_key(session), limit, offset).await?;
        let next = page.next_offset.filter(|next| page.has_more && *next > offset);
        let older = |row: &&Row| row.seq().is_none_or(|seq| seq < oldest);
        let rows: Vec<&Row> = page.messages.iter().filter(older).collect();
        let first = rows.iter().filter_map(|row| row.seq()).min();
        if rows.is_empty()
            && let Some(next) = next
        {
            offset = next;
            continue;
        }
        oldest = first.unwrap_or(oldest);
        // Without numbers there is nothing to tell rows by: this is the last page then.
        let next = next.filter(|_| oldest != u64::MAX).map(|next| format!("{next}.{oldest}"));
        return Ok(Part { items: rows.into_iter().map(Row::entry).collect(), next });
    }
    Err(EngineError::NotReady { why: "its history grows too fast".into(), retry_after_ms: 1_000 })
}

fn number(cursor: &str) -> Result<u64, EngineError> {
    cursor.parse().ok().filter(|n| *n <= FURTHEST).ok_or_else(unknown_cursor)
}

fn unknown_cursor() -> EngineError {
    EngineError::Refused { why: "that is no place in its history".into() }
}
