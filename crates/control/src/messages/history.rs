//! A conversation as the engine itself remembers it.

use std::sync::Arc;

use smartbox_core::activity::Doing;
use smartbox_core::engine::HistoryEntry;
use smartbox_core::id::SmartboxId;
use smartbox_core::route::port::Resolve;
use smartbox_core::sandbox::port::BoxDial;

use crate::control::Control;
use crate::error::ControlError;

impl Control {
    /// The newest entries of a conversation, oldest first. Wakes the box: only its engine knows.
    pub async fn history(
        self: &Arc<Self>,
        id: &SmartboxId,
        session: &str,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>, ControlError> {
        let _busy = self.activity().begin(id, Doing::Request);
        Resolve::wake(&**self, id.clone(), self.wake_within()).await?;
        let row = self.row(id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        let dial = BoxDial { runtime: self.parts.runtime.clone(), id: id.clone() };
        Ok(self.engine(&row.engine)?.engine.history(&dial, session, limit).await?)
    }
}
