//! A way out: a password for programs that know nothing of us.

use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Secret;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// Adds a password by which the restic program opens a box's repository. It is kept by nobody.
    pub async fn add_snapshot_password(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        password: Secret<String>,
    ) -> Result<(), ControlError> {
        let held = self.held(id).await?;
        // First: whoever has it has everything, and that must not be without a trace.
        self.note_act(actor, &held.archive.smartbox, "snapshot.password", String::new()).await?;
        Ok(self.parts.snapshots.add_password(held.repository()?, password).await?)
    }
}
