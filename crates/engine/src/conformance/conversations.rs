//! Conversations are listed, and their history is read in pages.

use smartbox_core::engine::port::{Conversations, EngineError};
use smartbox_core::engine::{HistoryEntry, Role};

use super::checks::{ask, ensure, must, turn};
use super::{Failure, Process};

/// After two turns in `main`.
pub(super) async fn listed_and_paged(process: &Process) -> Result<(), Failure> {
    ask(process, &turn("side", "key-side", "remember word-side")).await?;
    let dial = process.dial();
    let list = must("listing", process.engine.list(&*dial, None, 100).await)?;
    let keys: Vec<&str> = list.items.iter().map(|c| c.key.as_str()).collect();
    ensure(keys.len() == 2 && list.next.is_none(), || format!("the conversations are {list:?}"))?;
    for key in ["agent:main:main", "agent:main:side"] {
        let found = list.items.iter().find(|conversation| conversation.key == key);
        let good = found.is_some_and(|c| c.updated.is_some() && c.created.is_some() && !c.working);
        ensure(good, || format!("`{key}` is told as {found:?}"))?;
    }
    let mut seen = Vec::new();
    let mut after = None;
    for _ in 0..3 {
        let page = must("a page", process.engine.list(&*dial, after.as_deref(), 1).await)?;
        seen.extend(page.items.into_iter().map(|conversation| conversation.key));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    seen.sort();
    ensure(seen == ["agent:main:main", "agent:main:side"], || format!("one by one: {seen:?}"))?;
    pages(process).await?;
    for cursor in ["", "x", "1", "1.x", "-1.0", "99999999999999999999.1"] {
        let page = process.engine.page(&*dial, "main", Some(cursor), 1).await;
        ensure(matches!(page, Err(EngineError::Refused { .. })), || {
            format!("the cursor `{cursor}` gives {page:?}")
        })?;
    }
    Ok(())
}

/// Read one by one, while a message comes in between: each row once, none left out.
async fn pages(process: &Process) -> Result<(), Failure> {
    let dial = process.dial();
    let whole = must("history", process.engine.page(&*dial, "main", None, 100).await)?;
    ensure(whole.next.is_none(), || "a history that is whole goes on".into())?;
    let mut read: Vec<HistoryEntry> = Vec::new();
    let mut before = None;
    for round in 0..whole.items.len() {
        let cursor = before.as_deref();
        let page = must("a page", process.engine.page(&*dial, "main", cursor, 1).await)?;
        read.splice(0..0, page.items);
        if round == 0 {
            ask(process, &turn("main", "key-between", "remember word-between")).await?;
        }
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let people = |entries: &[HistoryEntry]| -> Vec<Option<String>> {
        let of_people = entries.iter().filter(|entry| entry.role == Role::Person);
        of_people.map(|entry| entry.idempotency_key.clone()).collect()
    };
    ensure(read.len() == whole.items.len() && people(&read) == people(&whole.items), || {
        format!("page by page: {read:?}, at once: {:?}", whole.items)
    })
}
