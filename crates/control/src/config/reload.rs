//! Having the engine go by its file.

use std::sync::Arc;

use smartbox_core::config::Applied;
use smartbox_core::id::SmartboxId;

use super::apply::Came;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// Sees to it that a running engine goes by what the file says: writes the platform's part into it
    /// again, and restarts the box if that is what it takes. Wakes nobody.
    pub async fn reload_config(
        self: &Arc<Self>,
        actor: &Actor,
        id: &SmartboxId,
    ) -> Result<Applied, ControlError> {
        let row = self.config_row(id).await?;
        let found = self.config_file(&row).await?;
        if let Some(why) = &found.unreadable {
            return Err(ControlError::Refused {
                why: format!("the configuration cannot be read ({why})"),
                hint: "replace it whole, or roll it back".into(),
            });
        }
        let slot = self.engine(&row.engine)?;
        self.seen(&row, &found, &slot.configs.owners(&found.document)).await?;
        let made = slot.engine.configure(found.bytes.as_deref(), &self.engine_settings(&row));
        if found.bytes.as_deref() != Some(&made.bytes)
            && !self.write_config_file(&row, &found, made.bytes.clone().into()).await?
        {
            return Err(ControlError::Refused {
                why: "the configuration was changed meanwhile".into(),
                hint: "look at it, and ask again".into(),
            });
        }
        match self.follow_config(&row, &made.bytes).await? {
            Came::Refused(faults) => Err(ControlError::Invalid { faults }),
            Came::To(Applied::RestartNeeded | Applied::Soon) => {
                self.restart(actor, id).await?;
                Ok(Applied::Restarting)
            }
            Came::To(applied) => Ok(applied),
        }
    }
}
