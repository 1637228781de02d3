//! Changing: replace, patch, roll back. A stopped box stays stopped.

use std::sync::Arc;

use serde_json::{Value, json};
use smartbox_core::config::diff::diff;
use smartbox_core::config::merge::merge;
use smartbox_core::config::{Applied, MAX_BYTES, MAX_DEPTH, depth};
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Secret;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::store;

use super::apply::Came;
use super::get::current;
use super::{Found, How, Outcome, Terms};
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// Times that a change is made anew because the file changed meanwhile.
const TRIES: usize = 4;

/// A change that is worked out and not yet made.
pub(super) struct Draft {
    /// The owner's documents.
    before: Value,
    after: Value,
    /// The file that is to be.
    bytes: Vec<u8>,
    outcome: Outcome,
}

/// The short way to a model: what is neither a text, nor the engine's own form, nor a taking back would
/// silently take the model away.
fn check_model(how: &How) -> Result<(), ControlError> {
    let How::Patch(patch) = how else { return Ok(()) };
    match patch.get("model") {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(Value::String(name)) if !name.trim().is_empty() => Ok(()),
        Some(_) => Err(ControlError::Refused {
            why: "`model` is the name of a model".into(),
            hint: "write a text like \"claude-sonnet-4-5\", or null for the platform's own".into(),
        }),
    }
}

impl Control {
    /// Changes a box's configuration, or says what would come of it. Refuses what the engine's schema
    /// does not allow before anything is written, and takes back what the running engine does not want.
    pub async fn change_config(
        self: &Arc<Self>,
        actor: &Actor,
        id: &SmartboxId,
        how: &How,
        terms: &Terms,
    ) -> Result<Outcome, ControlError> {
        for _ in 0..TRIES {
            let row = self.config_row(id).await?;
            let found = self.config_file(&row).await?;
            let draft = self.draft(&row, &found, how, terms).await?;
            if terms.dry_run {
                return Ok(draft.outcome);
            }
            if !draft.outcome.faults.is_empty() {
                return Err(ControlError::Invalid { faults: draft.outcome.faults });
            }
            if let Some(outcome) = self.make(actor, &row, &found, how, draft).await? {
                return Ok(outcome);
            }
            // Somebody wrote it between reading and writing. Who named a digest is told so now.
        }
        Err(ControlError::Refused {
            why: "the configuration changes faster than it can be written".into(),
            hint: "look at what the assistant does with it, or stop the smartbox".into(),
        })
    }

    /// Works a change out. Changes nothing.
    async fn draft(
        &self,
        row: &Smartbox,
        found: &Found,
        how: &How,
        terms: &Terms,
    ) -> Result<Draft, ControlError> {
        let slot = self.engine(&row.engine)?;
        let before = slot.configs.owners(&found.document);
        let there = current(found, &before);
        if terms.digests.as_ref().is_some_and(|wanted| !wanted.contains(&there)) {
            return Err(ControlError::OtherConfig { digest: there });
        }
        check_model(how)?;
        let wanted = match how {
            How::Replace(document) => document.clone(),
            How::Roll { back_to } => self.document(&row.id, *back_to).await?,
            How::Patch(patch) => {
                if let Some(why) = &found.unreadable {
                    return Err(ControlError::Refused {
                        why: format!(
                            "there is nothing to patch: the configuration cannot be read ({why})"
                        ),
                        hint: "replace it whole, or roll it back".into(),
                    });
                }
                let mut document = before.clone();
                merge(&mut document, slot.configs.meant(&before, patch.clone()));
                document
            }
        };
        let text = bounded(&wanted)?;
        let made = slot.engine.configure(Some(text.as_bytes()), &self.engine_settings(row));
        let effective = slot.configs.read(&made.bytes).map_err(|why| too_much(&why))?;
        let after = slot.configs.owners(&effective);
        let faults = slot.configs.check(effective).await?;
        let changes = diff(&before, &after);
        let outcome = Outcome {
            revision: None,
            digest: super::digest(&after),
            changes,
            overridden: made.overridden,
            faults,
            applied: None,
        };
        Ok(Draft { before, after, bytes: made.bytes, outcome })
    }

    /// Makes a change. None if something else stands in the file's place by now.
    async fn make(
        self: &Arc<Self>,
        actor: &Actor,
        row: &Smartbox,
        found: &Found,
        how: &How,
        draft: Draft,
    ) -> Result<Option<Outcome>, ControlError> {
        let Draft { before, after, bytes, mut outcome } = draft;
        let newest = self.seen(row, found, &before).await?;
        if outcome.changes.is_empty() && found.unreadable.is_none() {
            outcome.revision = newest.map(|revision| revision.seq);
            outcome.applied = Some(self.in_force(row).await?);
            return Ok(Some(outcome));
        }
        if !self.write_config_file(row, found, bytes.clone().into()).await? {
            return Ok(None);
        }
        let (action, told) = match how {
            How::Replace(_) => ("config.replace", "replaced".to_owned()),
            How::Patch(_) => ("config.patch", "patched".to_owned()),
            How::Roll { back_to } => ("config.roll-back", format!("rolled back to {back_to}")),
        };
        let detail = keys(outcome.changes.iter().map(|change| change.path.as_str()));
        let seq = self.record(row, &actor.0, told, &after, Some((action, detail))).await?;
        outcome.revision = Some(seq);
        let came = self.follow_config(row, &bytes).await?;
        match came {
            Came::To(applied) => outcome.applied = Some(applied),
            Came::Refused(faults) => {
                self.take_back(row, found, seq, &before, &faults).await?;
                return Err(ControlError::Invalid { faults });
            }
        }
        Ok(Some(outcome))
    }

    /// The owner's document of a revision.
    pub(super) async fn document(&self, id: &SmartboxId, seq: u64) -> Result<Value, ControlError> {
        self.open_revision(id, seq).await.map(|(_, document)| document)
    }

    pub(super) async fn open_revision(
        &self,
        id: &SmartboxId,
        seq: u64,
    ) -> Result<(smartbox_core::config::Revision, Value), ControlError> {
        let id = id.clone();
        let found = store::read(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.revisions().open(id, seq).await })
        })
        .await?;
        let (revision, text): (_, Secret<String>) =
            found.ok_or(ControlError::Missing { what: "revision" })?;
        let document = serde_json::from_str(text.expose()).unwrap_or_else(|_| json!({}));
        Ok((revision, document))
    }

    /// What a configuration that did not change needs to be in force.
    async fn in_force(&self, row: &Smartbox) -> Result<Applied, ControlError> {
        match self.ask_config(row).await? {
            Came::To(applied) => Ok(applied),
            Came::Refused(_) => Ok(Applied::AtNextStart),
        }
    }
}

/// The text of a document that is not too much for anybody.
pub(crate) fn bounded(document: &Value) -> Result<String, ControlError> {
    if !document.is_object() {
        return Err(ControlError::Refused {
            why: "a configuration is an object".into(),
            hint: "send a document like `{\"agents\": …}`".into(),
        });
    }
    if depth(document) > MAX_DEPTH {
        return Err(too_much(&format!("it is nested deeper than {MAX_DEPTH}")));
    }
    let text = document.to_string();
    // Half, since it is written with spaces and with the platform's part.
    if text.len() > MAX_BYTES / 2 {
        return Err(too_much(&format!("it is larger than {} bytes", MAX_BYTES / 2)));
    }
    Ok(text)
}

fn too_much(why: &str) -> ControlError {
    let hint = "put long texts into files of the smartbox".into();
    ControlError::Refused { why: format!("the configuration cannot be used: {why}"), hint }
}

/// Names of keys for the audit: never values, and not without end.
fn keys<'a>(paths: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for path in paths {
        if out.len() + path.len() > 500 {
            out.push('…');
            break;
        }
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(path);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_model_takes_none_away() {
        for fine in
            [json!({}), json!({ "model": "a" }), json!({ "model": null }), json!({ "model": {} })]
        {
            assert!(check_model(&How::Patch(fine.clone())).is_ok(), "{fine}");
        }
        for bad in [json!(5), json!(""), json!(["a"]), json!(true)] {
            assert!(check_model(&How::Patch(json!({ "model": bad }))).is_err(), "{bad}");
        }
    }
}
