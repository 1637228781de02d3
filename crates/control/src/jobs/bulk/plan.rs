//! What a bulk would do, without doing it.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use serde_json::Value;
use smartbox_core::config::Fault;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::store::StoreError;

use super::MAX_BOXES;
use super::each::Each;
use super::restart::Restart;
use crate::config::{How, Terms, bounded};
use crate::control::Control;
use crate::error::ControlError;
use crate::jobs::failure::failure;
use crate::parts::Actor;

/// Boxes that are looked at at the same time.
const AT_ONCE: usize = 8;
/// So many places are named for each box.
const PLACES: usize = 50;

/// What would be done to one box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The box as it is now.
    pub row: Smartbox,
    /// Why nothing would be done to it.
    pub skip: Option<String>,
}

/// What would become of one box's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedConfig {
    /// The box as it is now.
    pub row: Smartbox,
    /// Where the owner's document would differ: places, never values.
    pub changes: Vec<String>,
    /// Keys that the patch sets and the platform decides.
    pub overridden: Vec<String>,
    /// What the engine's schema does not allow: the box would be left as it is.
    pub faults: Vec<Fault>,
    /// Why the box could not be changed at all, with the word for programs in front.
    pub refused: Option<String>,
}

impl Control {
    /// What a restart of these boxes would do to each.
    pub fn plan_restart(self: &Arc<Self>, rows: Vec<Smartbox>) -> Vec<Planned> {
        let plan = |row| Planned { skip: Restart.skip(&row), row };
        rows.into_iter().map(plan).collect()
    }

    /// What a patch would do to the configuration of each of these boxes, each checked against its
    /// engine's schema. Wakes nobody, changes nothing.
    pub async fn plan_config(
        self: &Arc<Self>,
        actor: &Actor,
        rows: Vec<Smartbox>,
        patch: Value,
    ) -> Result<Vec<PlannedConfig>, ControlError> {
        bounded(&patch)?;
        if rows.len() > MAX_BOXES {
            return Err(ControlError::Refused {
                why: format!("more than {MAX_BOXES} smartboxes are meant"),
                hint: "do it in parts".into(),
            });
        }
        let how = How::Patch(patch);
        let mut plans =
            stream::iter(rows).map(|row| self.plan_one(actor, row, &how)).buffered(AT_ONCE);
        let mut planned = Vec::new();
        while let Some(plan) = plans.next().await {
            planned.push(plan?);
        }
        Ok(planned)
    }

    async fn plan_one(
        self: &Arc<Self>,
        actor: &Actor,
        row: Smartbox,
        how: &How,
    ) -> Result<PlannedConfig, ControlError> {
        let terms = Terms { digests: None, dry_run: true };
        let (mut changes, mut overridden, mut faults, mut refused) = Default::default();
        match self.change_config(actor, &row.id, how, &terms).await {
            Ok(outcome) => {
                let places = outcome.changes.into_iter().map(|change| change.path);
                changes = places.take(PLACES).collect();
                (overridden, faults) = (outcome.overridden, outcome.faults);
            }
            // Not this box's fault.
            Err(error @ (ControlError::Draining | ControlError::Store(StoreError::Fenced))) => {
                return Err(error);
            }
            Err(error) => {
                let said = failure(&error);
                refused = Some(format!("{}: {}", said.code, said.detail));
            }
        }
        Ok(PlannedConfig { row, changes, overridden, faults, refused })
    }
}
