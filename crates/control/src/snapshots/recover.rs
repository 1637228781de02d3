//! Boxes in the storage that this installation knows nothing of.

use std::sync::Arc;

use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::snapshot::record::Record;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// A box in the storage that this installation has no row and no tombstone of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recoverable {
    /// Which one.
    pub id: SmartboxId,
    /// Its name; none if what lies beside it cannot be opened.
    pub name: Option<String>,
    /// The name of its account.
    pub account: Option<String>,
    /// Its newest generation.
    pub newest: Option<Record>,
    /// Why it cannot be recovered.
    pub problem: Option<String>,
}

impl Control {
    /// The boxes in the storage that could be taken over.
    pub async fn recoverable(&self) -> Result<Vec<Recoverable>, ControlError> {
        Err(super::not_yet("recovering"))
    }

    /// Takes boxes over: account, row and archive are made, and the home is restored at the next start.
    /// The installation that had them before writes nothing more.
    pub async fn recover(
        self: &Arc<Self>,
        _actor: &Actor,
        _ids: &[SmartboxId],
    ) -> Result<Vec<Smartbox>, ControlError> {
        Err(super::not_yet("recovering"))
    }
}
