//! The sandbox's share of the machine's memory.

use smartbox_core::smartbox::{Failure, Reason, Smartbox};

use super::Keeper;
use super::boot::limits;
use crate::control::Control;
use crate::error::ControlError;

const HELP: &str = "Stop or let sleep another smartbox, choose a smaller tier, or raise \
                    `boxes.overcommit`; it starts by itself once there is room.";

impl Keeper {
    /// Takes its share of the machine's memory, or says why there is none.
    pub(super) fn admit(&self, control: &Control, needs: u64) -> Result<(), ControlError> {
        let parts = &control.parts;
        let host = parts.host.memory();
        control.ledger.take(&self.id, needs, host, parts.settings.overcommit).map_err(|full| {
            ControlError::Failed(Failure {
                reason: Reason::NoRoom,
                message: full.to_string(),
                hint: HELP.to_owned(),
                at: parts.clock.now(),
            })
        })
    }

    /// What the sandbox counts for while it is awake.
    pub(super) fn counts_for(&self, control: &Control, row: &Smartbox) -> u64 {
        let tier = row.running_tier.as_deref().unwrap_or(&row.tier);
        // Of a tier that is no longer defined only what is held is known.
        limits(control, tier).map_or(0, |limits| limits.memory_bytes)
    }
}
