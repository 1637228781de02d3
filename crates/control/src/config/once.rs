//! A change that is made once, whatever dies meanwhile.
//!
//! Before it is made it is *marked*: which document is there, which one is to come of it, and how far
//! the history goes. A second try that finds the document to come among the revisions since then knows
//! that the first one made it, and leaves alone what the owner did after that.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smartbox_core::config::{Applied, KEPT, Revision};
use smartbox_core::id::SmartboxId;

use super::{How, Terms};
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// What a second try needs to know the first one by. No part of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The newest revision before; 0 for none.
    revision: u64,
    /// The digest of the document before.
    before: String,
    /// The digest of the one that is to come.
    after: String,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Once {
    /// An earlier try made it; this is its revision.
    Before(u64),
    /// It is what was there already.
    Same,
    /// It was made.
    Made {
        /// Its revision.
        revision: Option<u64>,
        /// What it needs to be in force.
        applied: Option<Applied>,
    },
}

impl Control {
    /// Works a change out, and what it will be known by. Refuses what the engine's schema does not
    /// allow. Changes nothing.
    pub(crate) async fn mark_config(
        self: &Arc<Self>,
        actor: &Actor,
        id: &SmartboxId,
        how: &How,
    ) -> Result<Mark, ControlError> {
        // First the history, then the document: a revision that comes between is looked at twice.
        let revision = self.newest_revision(id).await?.map_or(0, |newest| newest.seq);
        let before = self.config(id).await?.digest;
        let terms = Terms { digests: Some(vec![before.clone()]), dry_run: true };
        let outcome = self.change_config(actor, id, how, &terms).await?;
        if outcome.faults.is_empty() {
            return Ok(Mark { revision, before, after: outcome.digest });
        }
        Err(ControlError::Invalid { faults: outcome.faults })
    }

    /// Makes a change that was marked, unless that was done. [`ControlError::OtherConfig`] if it was
    /// not done and another document is there by now: it is to be marked again.
    pub(crate) async fn change_config_once(
        self: &Arc<Self>,
        actor: &Actor,
        id: &SmartboxId,
        how: &How,
        mark: &Mark,
    ) -> Result<Once, ControlError> {
        if let Some(made) = self.made_since(id, mark).await? {
            return match made.refused {
                None => Ok(Once::Before(made.seq)),
                Some(_) => Err(ControlError::Refused {
                    why: format!("the engine did not want revision {}", made.seq),
                    hint: "`smartbox config history` says why".into(),
                }),
            };
        }
        let there = vec![mark.before.clone(), mark.after.clone()];
        let terms = Terms { digests: Some(there), dry_run: false };
        let outcome = self.change_config(actor, id, how, &terms).await?;
        if outcome.changes.is_empty() && mark.before == mark.after {
            return Ok(Once::Same);
        }
        Ok(Once::Made { revision: outcome.revision, applied: outcome.applied })
    }

    /// The revision that a marked change became.
    async fn made_since(
        &self,
        id: &SmartboxId,
        mark: &Mark,
    ) -> Result<Option<Revision>, ControlError> {
        if mark.before == mark.after {
            return Ok(None);
        }
        let since = self.config_history(id, None, KEPT).await?;
        let mut since = since.into_iter().filter(|revision| revision.seq > mark.revision);
        Ok(since.find(|revision| revision.digest == mark.after))
    }
}
