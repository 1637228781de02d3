//! The wishes that people have about a smartbox.

use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::{Desired, Rest, Smartbox, State};

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// A person wants it awake, now and in spite of earlier failures.
    pub async fn wake(&self, actor: &Actor, id: &SmartboxId) -> Result<Smartbox, ControlError> {
        let row = self.untripped(id).await?;
        self.check_active(&row).await?;
        if row.desired == Desired::Off {
            return Err(ControlError::Off { name: Some(row.name) });
        }
        let now = self.parts.clock.now();
        self.wish(actor, id, "box.wake", move |row| {
            row.touch(now);
            again(row);
        })
        .await
    }

    /// Lets it sleep now; the next message, request or alarm wakes it. What is desired stays.
    pub async fn sleep(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        rest: Rest,
    ) -> Result<Smartbox, ControlError> {
        let action = if rest == Rest::Stopped { "box.sleep-deep" } else { "box.sleep" };
        self.wish(actor, id, action, move |row| row.rest = Some(rest)).await
    }

    /// Turns it off: stopped until [`Control::start`]; messages are refused.
    pub async fn stop(&self, actor: &Actor, id: &SmartboxId) -> Result<Smartbox, ControlError> {
        self.wish(actor, id, "box.stop", |row| {
            row.desired = Desired::Off;
            row.rest = None;
        })
        .await
    }

    /// Turns it on: `desired` says whether for good or only on demand.
    pub async fn start(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        desired: Desired,
    ) -> Result<Smartbox, ControlError> {
        let row = self.untripped(id).await?;
        self.check_active(&row).await?;
        let now = self.parts.clock.now();
        self.wish(actor, id, "box.start", move |row| {
            row.desired = desired;
            row.touch(now);
            again(row);
        })
        .await
    }

    /// Gives it a new sandbox, by the engine's suspend contract.
    pub async fn restart(&self, actor: &Actor, id: &SmartboxId) -> Result<Smartbox, ControlError> {
        self.untripped(id).await?;
        let now = self.parts.clock.now();
        self.wish(actor, id, "box.restart", move |row| {
            row.restart += 1;
            row.touch(now);
            again(row);
        })
        .await
    }

    /// The same under a number: once there was such a restart, another call changes nothing.
    pub(crate) async fn restart_to(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        number: u64,
    ) -> Result<Smartbox, ControlError> {
        self.untripped(id).await?;
        let now = self.parts.clock.now();
        self.wish(actor, id, "box.restart", move |row| {
            if row.restart < number {
                row.restart = number;
                row.touch(now);
                again(row);
            }
        })
        .await
    }

    /// Refuses to run a smartbox whose account is disabled.
    pub(crate) async fn check_active(&self, row: &Smartbox) -> Result<(), ControlError> {
        if self.idle(&row.account) {
            let account = self.account(row.account.as_str()).await?;
            return Err(ControlError::idle(&account));
        }
        Ok(())
    }

    /// Removes it for good, home and all.
    pub async fn remove(&self, actor: &Actor, id: &SmartboxId) -> Result<(), ControlError> {
        self.wish(actor, id, "box.remove", |row| row.removing = true).await.map(drop)
    }

    /// The row of a box whose breaker is not open: one that failed too often waits for
    /// [`Control::reset`], whatever else is asked of it.
    async fn untripped(&self, id: &SmartboxId) -> Result<Smartbox, ControlError> {
        let row = self.row(id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        match &row.vitals.breaker.open {
            Some(failure) => Err(ControlError::Tripped(failure.clone())),
            None => Ok(row),
        }
    }

    pub(super) async fn wish(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        action: &str,
        edit: impl FnOnce(&mut Smartbox) + Send + 'static,
    ) -> Result<Smartbox, ControlError> {
        self.change(id, Some((actor, action, String::new())), |row| {
            edit(row);
            Ok(())
        })
        .await
    }
}

/// A person insists: earlier failures no longer delay the next start.
pub(crate) fn again(row: &mut Smartbox) {
    row.retry_at = None;
    if row.state == State::Failed {
        row.state = State::Stopped;
        row.failure = None;
    }
}
