//! Removed boxes whose snapshots are still there.

use std::sync::Arc;

use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::smartbox::Smartbox;
use smartbox_core::snapshot::record::Tombstone;
use smartbox_core::store;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// How a removed box comes back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undelete {
    /// Under another name than it had.
    pub name: Option<String>,
    /// In another account than its own, which may be gone.
    pub account: Option<AccountId>,
}

impl Control {
    /// The tombstones of an account, or all; the latest first.
    pub async fn tombstones(
        &self,
        account: Option<AccountId>,
    ) -> Result<Vec<Tombstone>, ControlError> {
        Ok(store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.archives().tombstones(account).await })
        })
        .await?)
    }

    /// Makes a removed box again: stopped, and restored at its next start.
    pub async fn undelete(
        self: &Arc<Self>,
        _actor: &Actor,
        _id: &SmartboxId,
        _how: Undelete,
    ) -> Result<Smartbox, ControlError> {
        Err(super::not_yet("undelete"))
    }

    /// Destroys the snapshots of a removed box for good.
    pub async fn purge(&self, _actor: &Actor, _id: &SmartboxId) -> Result<(), ControlError> {
        Err(super::not_yet("purge"))
    }
}
