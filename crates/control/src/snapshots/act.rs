//! Notes in audit and journal.

use smartbox_core::audit::Act;
use smartbox_core::id::SmartboxId;
use smartbox_core::journal;
use smartbox_core::store::{self, StoreError, Tx};
use smartbox_core::time::Timestamp;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// Writes an act on the snapshots of a box, or of a removed one, into audit and journal.
    pub(crate) async fn note_act(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        action: &'static str,
        detail: String,
    ) -> Result<(), ControlError> {
        let (id, actor, now) = (id.clone(), actor.clone(), self.parts.clock.now());
        Ok(store::write(&*self.parts.store, move |tx| {
            Box::pin(async move { note(tx, &actor, &id, action, detail, now).await })
        })
        .await
        .inspect_err(|error| self.heed(error))?)
    }
}

/// The same within a unit of work.
pub(super) async fn note(
    tx: &mut dyn Tx,
    actor: &Actor,
    id: &SmartboxId,
    action: &'static str,
    detail: String,
    at: Timestamp,
) -> Result<(), StoreError> {
    let row = tx.boxes().get(id.clone()).await?;
    if row.is_some() {
        tell(tx, id, format!("{action} by {}: {detail}", actor.0), at).await?;
    }
    let account = match row {
        Some(row) => Some(row.account),
        None => {
            let stones = tx.archives().tombstones(None).await?;
            stones.into_iter().find(|stone| stone.row.id == *id).map(|stone| stone.row.account)
        }
    };
    let Some(account) = account else { return Ok(()) };
    let (actor, smartbox) = (actor.0.clone(), Some(id.clone()));
    tx.audit().append(Act { account, actor, action: action.into(), smartbox, detail, at }).await
}

/// A line in a box's journal.
pub(super) async fn tell(
    tx: &mut dyn Tx,
    id: &SmartboxId,
    detail: String,
    at: Timestamp,
) -> Result<(), StoreError> {
    let entry = journal::Entry { smartbox: id.clone(), at, event: "snapshot".to_owned(), detail };
    tx.journal().note(vec![entry]).await
}
