//! Conversations as the engine itself remembers them. Only it knows, so that asking wakes the box.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::activity::Doing;
use smartbox_core::engine::port::EngineError;
use smartbox_core::engine::{Conversation, HistoryEntry, Part};
use smartbox_core::id::SmartboxId;
use smartbox_core::route::port::Resolve;
use smartbox_core::sandbox::port::BoxDial;
use tokio::time::Instant;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::EngineSlot;

/// Between two tries with an engine that restarts.
const PAUSE: Duration = Duration::from_millis(250);

impl Control {
    /// The newest entries of a conversation, oldest first.
    pub async fn history(
        self: &Arc<Self>,
        id: &SmartboxId,
        session: &str,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>, ControlError> {
        let ask = |slot: EngineSlot, dial: BoxDial| async move {
            slot.engine.history(&dial, session, limit).await
        };
        self.awake(id, ask).await
    }

    /// Entries of a conversation before a place in it, or the newest, oldest first.
    pub async fn history_page(
        self: &Arc<Self>,
        id: &SmartboxId,
        session: &str,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Part<HistoryEntry>, ControlError> {
        let ask = |slot: EngineSlot, dial: BoxDial| async move {
            slot.conversations.page(&dial, session, before, limit).await
        };
        self.awake(id, ask).await.map_err(|error| no_place(error, before))
    }

    /// The engine's conversations, the newest first.
    pub async fn conversations(
        self: &Arc<Self>,
        id: &SmartboxId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Part<Conversation>, ControlError> {
        let ask = |slot: EngineSlot, dial: BoxDial| async move {
            slot.conversations.list(&dial, after, limit).await
        };
        self.awake(id, ask).await.map_err(|error| no_place(error, after))
    }

    /// Asks the engine of a box that is awake then. An engine that restarts meanwhile is waited for:
    /// reading twice changes nothing.
    async fn awake<T, Asked: Future<Output = Result<T, EngineError>> + Send>(
        self: &Arc<Self>,
        id: &SmartboxId,
        ask: impl Fn(EngineSlot, BoxDial) -> Asked + Send,
    ) -> Result<T, ControlError> {
        let _busy = self.activity().begin(id, Doing::Request);
        let missing = || ControlError::Missing { what: "smartbox" };
        let end = Instant::now() + self.wake_within();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            Resolve::wake(&**self, id.clone(), left).await?;
            let row = self.row(id).await?.ok_or_else(missing)?;
            let dial = BoxDial { runtime: self.parts.runtime.clone(), id: id.clone() };
            match ask(self.engine(&row.engine)?.clone(), dial).await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.passes() && left > PAUSE => {
                    tracing::debug!(smartbox = %id, %error, "the engine is asked again");
                }
                Err(error) => return Err(error.into()),
            }
            // It has just ended, and its keeper may not know yet: the next wake waits for its return.
            self.keeper(id).ok_or_else(missing)?.nudge();
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// With a cursor, a refusal is about the cursor, which the caller chose.
fn no_place(error: ControlError, cursor: Option<&str>) -> ControlError {
    match error {
        ControlError::Engine(EngineError::Refused { why }) if cursor.is_some() => {
            let hint = "begin anew without a cursor".into();
            ControlError::Refused { why: format!("the cursor leads nowhere: {why}"), hint }
        }
        other => other,
    }
}
