//! The revisions of a box's configuration.

use serde_json::json;
use smartbox_core::config::Revision;
use smartbox_core::config::diff::diff;
use smartbox_core::id::SmartboxId;
use smartbox_core::store;

use super::Opened;
use crate::control::Control;
use crate::error::ControlError;

impl Control {
    /// Revisions, newest first: those before a number, or the newest.
    pub async fn config_history(
        &self,
        id: &SmartboxId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Revision>, ControlError> {
        let id = self.config_row(id).await?.id;
        Ok(store::read(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.revisions().list(id, before, limit).await })
        })
        .await?)
    }

    /// One revision, compared with another, or with the one before it.
    pub async fn config_revision(
        &self,
        id: &SmartboxId,
        seq: u64,
        against: Option<u64>,
    ) -> Result<Opened, ControlError> {
        let row = self.config_row(id).await?;
        let (revision, owner) = self.open_revision(&row.id, seq).await?;
        let against = match against {
            Some(other) => Some(other),
            None => {
                let before = self.config_history(&row.id, Some(seq), 1).await?;
                before.first().map(|revision| revision.seq)
            }
        };
        let base = match against {
            Some(other) => self.document(&row.id, other).await?,
            None => json!({}),
        };
        let changes = diff(&base, &owner);
        Ok(Opened { revision, owner, against, changes })
    }
}
