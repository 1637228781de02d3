//! Everything that is known of one smartbox.

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::Observed;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::store;
use smartbox_core::usage::Total;

use crate::control::Control;
use crate::error::ControlError;

/// A smartbox with its evidence.
#[derive(Debug, Clone)]
pub struct View {
    /// Its row.
    pub row: Smartbox,
    /// What the keeper is doing, in one short phrase.
    pub phase: String,
    /// What the runtime sees.
    pub observed: Observed,
    /// Whether something is going on in it.
    pub busy: bool,
    /// Messages that wait for an answer.
    pub waiting: usize,
    /// What its model calls used since it was made.
    pub usage: Total,
    /// Something that its owner should know, like a refused configuration.
    pub notice: Option<String>,
}

impl Control {
    /// Looks at a smartbox. Wakes nothing and changes nothing.
    pub async fn view(&self, id: &SmartboxId) -> Result<View, ControlError> {
        let wanted = id.clone();
        let (row, waiting, usage) = store::read(&*self.parts.store, |tx| {
            Box::pin(async move {
                let Some(row) = tx.boxes().get(wanted.clone()).await? else { return Ok(None) };
                let waiting = tx.messages().open(Some(wanted.clone())).await?.len();
                let usage = tx.usage().total(wanted, row.created).await?;
                Ok(Some((row, waiting, usage)))
            })
        })
        .await?
        .ok_or(ControlError::Missing { what: "smartbox" })?;
        let observed = self.parts.runtime.observe(id.clone()).await?;
        let now = self.keeper(id).map(|keeper| keeper.now()).unwrap_or_default();
        let busy = self.parts.activity.going(id).busy;
        Ok(View { row, phase: now.phase, observed, busy, waiting, usage, notice: now.notice })
    }
}
