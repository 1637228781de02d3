//! A conversation as the engine itself remembers it.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::activity::Doing;
use smartbox_core::engine::HistoryEntry;
use smartbox_core::id::SmartboxId;
use smartbox_core::route::port::Resolve;
use smartbox_core::sandbox::port::BoxDial;
use tokio::time::Instant;

use crate::control::Control;
use crate::error::ControlError;

/// Between two tries with an engine that restarts.
const PAUSE: Duration = Duration::from_millis(250);

impl Control {
    /// The newest entries of a conversation, oldest first. Wakes the box: only its engine knows.
    /// An engine that restarts meanwhile is waited for: reading twice changes nothing.
    pub async fn history(
        self: &Arc<Self>,
        id: &SmartboxId,
        session: &str,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>, ControlError> {
        let _busy = self.activity().begin(id, Doing::Request);
        let missing = || ControlError::Missing { what: "smartbox" };
        let end = Instant::now() + self.wake_within();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            Resolve::wake(&**self, id.clone(), left).await?;
            let row = self.row(id).await?.ok_or_else(missing)?;
            let dial = BoxDial { runtime: self.parts.runtime.clone(), id: id.clone() };
            match self.engine(&row.engine)?.engine.history(&dial, session, limit).await {
                Ok(entries) => return Ok(entries),
                Err(error) if error.passes() && left > PAUSE => {
                    tracing::debug!(smartbox = %id, %error, "the history is asked for again");
                }
                Err(error) => return Err(error.into()),
            }
            // It has just ended, and its keeper may not know yet: the next wake waits for its return.
            self.keeper(id).ok_or_else(missing)?.nudge();
            tokio::time::sleep(PAUSE).await;
        }
    }
}
