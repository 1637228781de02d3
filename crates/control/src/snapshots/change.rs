//! What an owner decides about the snapshots of a box.

use std::time::Duration;

use smartbox_core::audit::Act;
use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::Keep;
use smartbox_core::snapshot::record::Archive;
use smartbox_core::store::{self, StoreError};

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// What is to be different; what is none stays. An inner none is the platform's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ArchiveChange {
    /// Changes older than this are in a generation.
    pub objective: Option<Option<Duration>>,
    /// What is kept.
    pub keep: Option<Option<Keep>>,
}

/// Shorter ones would hold a box still all the time.
const SHORTEST: Duration = Duration::from_secs(2);
/// Longer ones are meant to be "never", which is no objective.
const LONGEST: Duration = Duration::from_hours(24 * 30);

impl Control {
    /// Changes what holds for the snapshots of a box.
    pub async fn change_archive(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        change: ArchiveChange,
    ) -> Result<Archive, ControlError> {
        if let Some(Some(objective)) = change.objective
            && !(SHORTEST..=LONGEST).contains(&objective)
        {
            return Err(ControlError::Refused {
                why: "that is too short or too long an objective".into(),
                hint: "write between 2s and 30d".into(),
            });
        }
        let (wanted, actor, now) = (id.clone(), actor.0.clone(), self.parts.clock.now());
        Ok(store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let missing = StoreError::Missing { what: "smartbox" };
                let row = tx.boxes().get(wanted.clone()).await?.ok_or(missing)?;
                let known = tx.archives().get(wanted.clone()).await?;
                let mut archive = known.unwrap_or_else(|| Archive::new(wanted));
                archive.objective = change.objective.unwrap_or(archive.objective);
                archive.keep = change.keep.unwrap_or(archive.keep);
                tx.archives().put(archive.clone()).await?;
                let act = Act {
                    account: row.account,
                    actor,
                    action: "snapshot.settings".into(),
                    smartbox: Some(row.id),
                    detail: String::new(),
                    at: now,
                };
                tx.audit().append(act).await?;
                Ok(archive)
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?)
    }
}
