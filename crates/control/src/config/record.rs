//! Writing revisions down.

use bytes::Bytes;
use serde_json::{Value, json};
use smartbox_core::audit::Act;
use smartbox_core::config::{Fault, KEPT, Revision, canonical};
use smartbox_core::secret::Secret;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::store;

use super::{Found, digest};
use crate::control::Control;
use crate::error::ControlError;

/// Who is said to have written what the platform did not.
const BOX: &str = "box";
/// Characters of a refusal that are kept.
const WHY: usize = 2_000;

impl Control {
    /// Records what stands in the file if it is none of the revisions that are known: the engine or
    /// the assistant wrote it. Returns the newest revision.
    pub(crate) async fn seen(
        &self,
        row: &Smartbox,
        found: &Found,
        owner: &Value,
    ) -> Result<Option<Revision>, ControlError> {
        let newest = self.newest_revision(&row.id).await?;
        let known = match &newest {
            Some(newest) => newest.digest == digest(owner),
            // Before anybody wrote anything there is nothing to tell of.
            None => *owner == json!({}),
        };
        if known || found.unreadable.is_some() || found.is_absent() {
            return Ok(newest);
        }
        self.record(row, BOX, "found".into(), owner, None).await?;
        self.newest_revision(&row.id).await
    }

    /// Adds a revision, together with its act in the audit if it is somebody's.
    pub(crate) async fn record(
        &self,
        row: &Smartbox,
        actor: &str,
        how: String,
        owner: &Value,
        act: Option<(&str, String)>,
    ) -> Result<u64, ControlError> {
        let at = self.parts.clock.now();
        let act = act.map(|(action, detail)| Act {
            account: row.account.clone(),
            actor: actor.to_owned(),
            action: action.to_owned(),
            smartbox: Some(row.id.clone()),
            detail,
            at,
        });
        let revision = Revision {
            smartbox: row.id.clone(),
            seq: 0,
            at,
            actor: actor.to_owned(),
            how,
            digest: digest(owner),
            refused: None,
        };
        let document = Secret::new(canonical(owner));
        let recorded = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let seq = tx.revisions().add(revision, document, KEPT).await?;
                if let Some(act) = act {
                    tx.audit().append(act).await?;
                }
                Ok(seq)
            })
        })
        .await;
        Ok(recorded.inspect_err(|error| self.heed(error))?)
    }

    /// Notes that the engine did not want a revision.
    pub(crate) async fn refuse_revision(
        &self,
        row: &Smartbox,
        seq: u64,
        why: &str,
    ) -> Result<(), ControlError> {
        let (id, why) = (row.id.clone(), why.chars().take(WHY).collect::<String>());
        let noted = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.revisions().refuse(id, seq, why).await })
        })
        .await;
        Ok(noted.inspect_err(|error| self.heed(error))?)
    }

    /// The running engine did not want what was just written: what was there before is written again,
    /// unless somebody else wrote meanwhile.
    pub(super) async fn take_back(
        &self,
        row: &Smartbox,
        before: &Found,
        seq: u64,
        owner: &Value,
        faults: &[Fault],
    ) -> Result<(), ControlError> {
        let told: Vec<String> =
            faults.iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect();
        self.refuse_revision(row, seq, &told.join("\n")).await?;
        let there = self.config_file(row).await?;
        let slot = self.engine(&row.engine)?;
        let ours = self.newest_revision(&row.id).await?.is_some_and(|newest| {
            newest.seq == seq && newest.digest == digest(&slot.configs.owners(&there.document))
        });
        let bytes = before.bytes.clone().unwrap_or_else(|| {
            let made = slot.engine.configure(None, &self.engine_settings(row));
            Bytes::from(made.bytes)
        });
        if ours && self.write_config_file(row, &there, bytes).await? {
            self.record(row, "platform", format!("took {seq} back"), owner, None).await?;
        }
        Ok(())
    }
}
