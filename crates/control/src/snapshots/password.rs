//! The way out: a password by which the restic program opens a box's repository.

use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Secret;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// Adds a password. It cannot be taken back: whoever had it once could read the key behind it.
    pub async fn add_snapshot_password(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        password: Secret<String>,
    ) -> Result<(), ControlError> {
        let of = self.archiving.of(id);
        let _turn = of.turn.lock().await;
        let held = self.held(id).await?;
        self.note_act(actor, id, "snapshot.password", String::new()).await?;
        self.parts.snapshots.add_password(held.repository()?, password).await?;
        Ok(())
    }
}
