//! What a bulk would do, without doing it.

use std::sync::Arc;

use smartbox_core::smartbox::Smartbox;

use super::each::Each;
use crate::control::Control;

/// What would be done to one box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The box as it is now.
    pub row: Smartbox,
    /// Why nothing would be done to it.
    pub skip: Option<String>,
}

impl Control {
    /// What a restart of these boxes would do to each.
    pub fn plan_restart(self: &Arc<Self>, rows: Vec<Smartbox>) -> Vec<Planned> {
        let plan = |row| Planned { skip: super::restart::Restart.skip(&row), row };
        rows.into_iter().map(plan).collect()
    }
}
