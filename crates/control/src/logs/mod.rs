//! The engine's log, and with the journal of the box. Read on the host: a sleeping box is not woken
//! for it.

pub(crate) mod lines;

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::LogPage;
use smartbox_core::sandbox::port::Kept;

use crate::control::Control;
use crate::error::ControlError;

impl Control {
    /// The log from an offset.
    pub async fn log(&self, id: &SmartboxId, from: u64) -> Result<LogPage, ControlError> {
        Ok(self.parts.runtime.kept(id.clone(), Kept::Log { from }).await?)
    }

    /// The end of the log.
    pub async fn log_tail(&self, id: &SmartboxId, bytes: u64) -> Result<LogPage, ControlError> {
        Ok(self.parts.runtime.kept(id.clone(), Kept::LogTail { bytes }).await?)
    }
}
