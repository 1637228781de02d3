//! What a box is started with when its engine refuses what it has.

use bytes::Bytes;
use serde_json::Value;
use smartbox_core::smartbox::Smartbox;

use super::digest;
use crate::control::Control;
use crate::error::ControlError;

/// Revisions that are looked at to find another one to start with.
const BACK: u32 = 10;

impl Control {
    /// Marks the revision that was tried as refused, and finds another configuration: the last that
    /// worked, as the home keeps it, or the newest revision that was not refused. With the words by
    /// which it is told.
    pub(crate) async fn config_to_fall_back_to(
        &self,
        row: &Smartbox,
        tried: &[u8],
        last_good: Option<Bytes>,
        why: &str,
    ) -> Result<Option<(Bytes, String)>, ControlError> {
        let slot = self.engine(&row.engine)?;
        let settings = self.engine_settings(row);
        let owners =
            |bytes: &[u8]| slot.configs.read(bytes).ok().map(|doc| slot.configs.owners(&doc));
        let bad = owners(tried).map(|owner| digest(&owner));
        let revisions = self.config_history(&row.id, None, BACK).await?;
        if let Some(newest) =
            revisions.iter().find(|revision| Some(&revision.digest) == bad.as_ref())
            && newest.refused.is_none()
        {
            self.refuse_revision(row, newest.seq, why).await?;
        }
        // The platform's part is merged in anew: the box may have written what is kept in it.
        let merged = |owner: &Value| {
            let text = owner.to_string();
            Bytes::from(slot.engine.configure(Some(text.as_bytes()), &settings).bytes)
        };
        let refused =
            |digest: &String| revisions.iter().any(|r| r.refused.is_some() && r.digest == *digest);
        let kept = last_good.and_then(|bytes| owners(&bytes)).filter(|owner| {
            let digest = digest(owner);
            Some(&digest) != bad.as_ref() && !refused(&digest)
        });
        if let Some(owner) = kept {
            self.record(row, "platform", "fell back to the last that worked".into(), &owner, None)
                .await?;
            return Ok(Some((merged(&owner), "the last one that worked".into())));
        }
        let other = revisions
            .iter()
            .find(|revision| Some(&revision.digest) != bad.as_ref() && !refused(&revision.digest));
        let Some(other) = other else { return Ok(None) };
        let owner = self.document(&row.id, other.seq).await?;
        let how = format!("fell back to {}", other.seq);
        self.record(row, "platform", how, &owner, None).await?;
        Ok(Some((merged(&owner), format!("revision {} of it", other.seq))))
    }
}
