//! Restarting a box exactly once, however often it is tried.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use smartbox_core::id::SmartboxId;
use smartbox_core::job::Job;
use smartbox_core::smartbox::{Desired, Smartbox};
use smartbox_core::time::Timestamp;

use crate::control::Control;
use crate::error::ControlError;
use crate::jobs::NewJob;
use crate::parts::Actor;

/// A busy engine finishes its turn first, and then boots.
const PATIENCE: Duration = Duration::from_mins(15);

impl Control {
    /// Restarts a box as a job of its account.
    pub async fn restart_later(
        self: &Arc<Self>,
        actor: &Actor,
        row: &Smartbox,
    ) -> Result<Job, ControlError> {
        let new = NewJob::new("box.restart", Some(row.id.clone()), Value::Null);
        self.submit(actor, &row.account, new).await
    }

    /// Restarts a box and waits until the engine answers from a sandbox that was begun for it. What goes on
    /// in the old one ends first.
    pub async fn restart_within(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        within: Duration,
    ) -> Result<Smartbox, ControlError> {
        let since = self.parts.clock.now();
        let row = self.restart(actor, id).await?;
        self.await_restart(id, row.restart, since, within).await
    }

    /// The number of a restart that has not been asked for yet.
    pub(crate) async fn next_restart(&self, id: &SmartboxId) -> Result<u64, ControlError> {
        let row = self.row(id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        Ok(row.restart + 1)
    }

    /// Asks for the restart with this number unless it was asked for, and waits until the engine
    /// answers from a sandbox that was begun for it, or a later one.
    pub(crate) async fn restart_once(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        number: u64,
    ) -> Result<Smartbox, ControlError> {
        let since = self.parts.clock.now();
        let missing = || ControlError::Missing { what: "smartbox" };
        let row = self.row(id).await?.ok_or_else(missing)?;
        if row.desired == Desired::Off {
            return Err(ControlError::Off { name: Some(row.name) });
        }
        if row.restart < number {
            self.restart_to(actor, id, number).await?;
        }
        let within = PATIENCE * self.parts.settings.patience;
        self.await_restart(id, number, since, within).await
    }

    async fn await_restart(
        &self,
        id: &SmartboxId,
        number: u64,
        since: Timestamp,
        within: Duration,
    ) -> Result<Smartbox, ControlError> {
        let missing = ControlError::Missing { what: "smartbox" };
        let keeper = self.keeper(id).ok_or(missing)?;
        match tokio::time::timeout(within, self.restarted(id, number, since)).await {
            Ok(done) => done,
            Err(_) => Err(ControlError::Late { state: keeper.now().state }),
        }
    }

    async fn restarted(
        &self,
        id: &SmartboxId,
        number: u64,
        since: Timestamp,
    ) -> Result<Smartbox, ControlError> {
        let missing = || ControlError::Missing { what: "smartbox" };
        let mut seen = self.keeper(id).ok_or_else(missing)?.watch();
        loop {
            let now = seen.borrow_and_update().clone();
            let row = self.row(id).await?.filter(|row| !row.removing).ok_or_else(missing)?;
            if row.restarted >= number && now.answers() {
                return Ok(row);
            }
            if row.desired == Desired::Off {
                return Err(ControlError::Off { name: Some(row.name) });
            }
            if row.rest.is_some() {
                return Err(ControlError::NotNow {
                    why: format!("{} was put to sleep meanwhile", row.name),
                    hint: "its next start is a fresh one".into(),
                });
            }
            if let Some(failure) = row.vitals.breaker.open {
                return Err(ControlError::Tripped(failure));
            }
            if let Some(failure) = row.failure.filter(|failure| failure.at >= since) {
                return Err(ControlError::Failed(failure));
            }
            // The sender lives as long as its keeper; without one the box is gone.
            seen.changed().await.map_err(|_| ControlError::Draining)?;
        }
    }
}
