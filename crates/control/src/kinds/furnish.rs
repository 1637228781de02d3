//! Putting the files of its kind into a new smartbox's home: once, before its engine starts.

use bytes::Bytes;
use smartbox_core::kind::Template;
use smartbox_core::smartbox::Smartbox;
use smartbox_link::Link;

use crate::control::Control;
use crate::error::ControlError;

impl Control {
    /// Writes the files of the row's kind that are not there yet. Killed in the middle, it is done
    /// again from the beginning; a file that is there is nobody's but the owner's.
    pub(crate) async fn furnish(&self, row: &Smartbox, link: &Link) -> Result<(), ControlError> {
        let Some(template) = self.parts.kinds.get(&row.kind) else {
            tracing::warn!(smartbox = %row.id, kind = %row.kind, "its kind is gone: its home begins empty");
            return Ok(());
        };
        let workspace = &self.engine(&row.engine)?.engine.manifest().workspace;
        for (path, text) in super::files(template) {
            let path = format!("{workspace}/{path}");
            if link.read(&path).await?.is_none() {
                link.write(&path, 0o600, Bytes::from(text)).await?;
            }
        }
        Ok(())
    }

    /// What the engine's configuration of a new smartbox begins with.
    pub(crate) fn first_settings(&self, row: &Smartbox) -> Option<Bytes> {
        let settings = &self.parts.kinds.get(&row.kind)?.settings;
        let written = |settings| serde_json::to_vec_pretty(settings).ok().map(Bytes::from);
        if settings.is_empty() { None } else { written(settings) }
    }

    /// The template that a row was made from, if it is still there.
    pub fn template(&self, row: &Smartbox) -> Option<&Template> {
        self.parts.kinds.get(&row.kind)
    }
}
