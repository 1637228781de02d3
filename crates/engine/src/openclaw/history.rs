//! The engine's own record of a conversation.

use smartbox_core::engine::HistoryEntry;
use smartbox_core::engine::port::EngineError;
use smartbox_core::sandbox::port::Dial;

use super::rows::{Page, Row};
use super::{OpenClaw, session_key};

pub(super) async fn history(
    engine: &OpenClaw,
    dial: &dyn Dial,
    session: &str,
    limit: u32,
) -> Result<Vec<HistoryEntry>, EngineError> {
    let mut socket = engine.program(dial).await?;
    let page = Page::read(&mut socket, &session_key(session), limit).await?;
    Ok(page.messages.iter().map(Row::entry).collect())
}
