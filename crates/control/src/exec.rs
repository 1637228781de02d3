//! Commands inside a smartbox. They wake it and keep it awake.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::activity::{Busy, Doing};
use smartbox_core::id::SmartboxId;
use smartbox_core::route::port::Resolve;
use smartbox_core::sandbox::port::Target;
use smartbox_link::Link;
use smartbox_link::client::Exec;
use smartbox_link::wire::ExecOrder;
use tokio_util::compat::FuturesAsyncReadCompatExt;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// A command that runs. Dropping it kills the command.
pub struct Running {
    /// Its input and output.
    pub exec: Exec,
    /// Keeps the box awake.
    pub busy: Box<dyn Busy>,
}

impl Control {
    /// Wakes the box and runs a command in it.
    pub async fn exec(
        self: &Arc<Self>,
        actor: &Actor,
        id: &SmartboxId,
        order: ExecOrder,
    ) -> Result<Running, ControlError> {
        if order.argv.first().is_none_or(String::is_empty) {
            return Err(ControlError::Refused {
                why: "the command is empty".into(),
                hint: "write it after `--`".into(),
            });
        }
        let busy = self.activity().begin(id, Doing::Exec);
        Resolve::wake(&**self, id.clone(), self.wake_within()).await?;
        let program = order.argv[0].chars().take(200).collect();
        self.change(id, Some((actor, "box.exec", program)), |_| Ok(())).await?;
        let exec = self.link(id).await?.exec(order).await?;
        Ok(Running { exec, busy })
    }

    /// Opens the link to a box's init under its present epoch.
    pub(crate) async fn link(&self, id: &SmartboxId) -> Result<Link, ControlError> {
        let row = self.row(id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        let conn = self.parts.runtime.dial(id.clone(), Target::Link).await?;
        Ok(Link::open(conn.compat(), row.epoch).await?)
    }

    /// How long a wake may take at the most.
    pub(crate) fn wake_within(&self) -> Duration {
        Duration::from_secs(120) * self.parts.settings.patience
    }
}
