//! Reading. Wakes nobody, changes nothing.

use std::sync::Arc;

use serde_json::Value;
use smartbox_core::config::Revision;
use smartbox_core::engine::Settings;
use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::store;

use super::{Config, Found, digest};
use crate::control::Control;
use crate::error::ControlError;

impl Control {
    /// A box's configuration as it stands in its home.
    pub async fn config(&self, id: &SmartboxId) -> Result<Config, ControlError> {
        let row = self.config_row(id).await?;
        let slot = self.engine(&row.engine)?;
        let found = self.config_file(&row).await?;
        let made = slot.engine.configure(found.bytes.as_deref(), &self.engine_settings(&row));
        let effective = slot.configs.read(&made.bytes).unwrap_or_default();
        let owner = slot.configs.owners(&found.document);
        let digest = current(&found, &owner);
        let newest = self.newest_revision(id).await?;
        Ok(Config {
            revision: newest.filter(|revision| revision.digest == digest),
            digest,
            owner,
            effective: slot.configs.masked(effective),
            platform: slot.configs.platforms(),
            overridden: made.overridden,
            unreadable: found.unreadable,
        })
    }

    /// The schema of a box's engine, as the engine tells it.
    pub async fn config_schema(&self, id: &SmartboxId) -> Result<Arc<[u8]>, ControlError> {
        let row = self.config_row(id).await?;
        Ok(self.engine(&row.engine)?.configs.schema().await?)
    }

    /// What the platform decides for a box's engine.
    pub(crate) fn engine_settings(&self, row: &Smartbox) -> Settings {
        Settings {
            origins: (self.parts.settings.origins)(&row.label),
            model_token: self.model_token(&row.id).expose().clone(),
            model: self.parts.settings.model.clone(),
            owner: "owner".into(),
        }
    }

    pub(super) async fn config_row(&self, id: &SmartboxId) -> Result<Smartbox, ControlError> {
        let row = self.row(id).await?.filter(|row| !row.removing);
        row.ok_or(ControlError::Missing { what: "smartbox" })
    }

    pub(super) async fn newest_revision(
        &self,
        id: &SmartboxId,
    ) -> Result<Option<Revision>, ControlError> {
        let id = id.clone();
        let newest = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.revisions().list(id, None, 1).await })
        })
        .await?;
        Ok(newest.into_iter().next())
    }
}

/// The digest of what is there; a file that cannot be read is another document than any.
pub(super) fn current(found: &Found, owner: &Value) -> String {
    match &found.unreadable {
        None => digest(owner),
        Some(why) => {
            let text = found.bytes.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            digest(&serde_json::json!({ "unreadable": why, "text": text }))
        }
    }
}
