//! Going to sleep and coming back, by the engine's suspend contract.
//!
//! ```text
//! read the next alarm → prepare ─busy→ not now
//!                          └ready→ still nothing going on? → lease into the row → freeze
//!                                                                         └ or: end the engine, remove the sandbox
//! thaw → resume the lease of the row
//! ```
//! The request id is derived from box and epoch, so that another process renews or resumes the same lease.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::engine::Suspended;
use smartbox_core::engine::port::EngineError;
use smartbox_core::sandbox::Shift;
use smartbox_core::sandbox::port::BoxDial;
use smartbox_core::time::Timestamp;

use super::{Done, Keeper};
use crate::control::Control;
use crate::error::ControlError;

/// How long a stop waits for work in progress before it ends the engine all the same.
const LONGEST_TURN: Duration = Duration::from_secs(330);
/// How soon to ask a busy engine again. Its own word is 20 s, made for larger drains than one person's turn.
const ASK_AGAIN: Duration = Duration::from_secs(2);

impl Keeper {
    pub(super) async fn freeze(
        self: &Arc<Self>,
        control: &Arc<Control>,
    ) -> Result<Done, ControlError> {
        if let Some(wait) = self.hold_still(control).await? {
            return Ok(Done::NotNow(wait));
        }
        self.say("going to sleep");
        let page_out = control.parts.settings.page_out;
        self.shift(control, Shift::Freeze { page_out }).await?;
        Ok(Done::Yes)
    }

    pub(super) async fn stop(
        self: &Arc<Self>,
        control: &Arc<Control>,
    ) -> Result<Done, ControlError> {
        self.say("stopping");
        let now = control.parts.clock.now();
        let since = *self.memory().stopping.get_or_insert(now);
        if let Some(wait) = self.hold_still(control).await?
            && now.since(since) < LONGEST_TURN
        {
            self.say("waiting for what goes on in it (a turn, a command, an open terminal)");
            return Ok(Done::NotNow(wait));
        }
        self.now.send_modify(|now| now.leaving = true);
        let grace = Duration::from_secs(control.engine(&self.engine)?.engine.manifest().grace_secs);
        if let Ok(link) = control.link(&self.id).await {
            let ended =
                tokio::time::timeout(grace + Duration::from_secs(5), link.engine_stop(grace)).await;
            if !matches!(ended, Ok(Ok(_))) {
                tracing::warn!(smartbox = %self.id, "the engine did not end when asked; its sandbox is removed");
            }
        }
        self.forget_sandbox();
        self.shift(control, Shift::Remove).await?;
        self.memory().stopping = None;
        let row = control
            .change(&self.id, None, |row| {
                row.suspension = None;
                Ok(())
            })
            .await?;
        self.keep_home(control, Self::why_stopped(&row)).await;
        Ok(Done::Yes)
    }

    /// Lets the processes run, and ends the suspension.
    pub(super) async fn thaw(
        self: &Arc<Self>,
        control: &Arc<Control>,
    ) -> Result<Done, ControlError> {
        self.say("waking");
        self.shift(control, Shift::Thaw).await?;
        self.resume(control).await?;
        self.begin_probes();
        self.alarm_heard(control, Self::short_hold()).await?;
        Ok(Done::Yes)
    }

    /// Has the engine hold still, with its next alarm in the row. Some(when to ask again) if it is busy.
    async fn hold_still(&self, control: &Control) -> Result<Option<Duration>, ControlError> {
        if self.memory().ready.is_none() {
            // An engine that does not answer yet, or no more, has no turn to protect.
            return Ok(None);
        }
        if control.parts.activity.going(&self.id).busy {
            return Ok(Some(ASK_AGAIN));
        }
        let engine = &control.engine(&self.engine)?.engine;
        let dial = self.dial(control);
        let row = control.row(&self.id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        let request = format!("{}-{}", row.id, row.epoch);
        let alarm = match engine.next_wake(&dial).await {
            Ok(alarm) => alarm,
            // It holds still already, by the lease of an earlier try; the alarm was read then.
            Err(EngineError::NotReady { .. }) => row.alarm,
            Err(error) => return Err(error.into()),
        };
        let now = control.parts.clock.now();
        if alarm.is_some_and(|at| at <= now) {
            return Ok(Some(ASK_AGAIN));
        }
        let lease = match engine.suspend(&dial, &request).await {
            Ok(Suspended::Ready { lease, .. }) => lease,
            Ok(Suspended::Busy { why, .. }) => {
                tracing::debug!(smartbox = %self.id, why, "not going to sleep now");
                return Ok(Some(ASK_AGAIN));
            }
            Err(EngineError::NotReady { retry_after_ms, .. }) => {
                return Ok(Some(Duration::from_millis(retry_after_ms.clamp(100, 5_000))));
            }
            Err(error) => return Err(error.into()),
        };
        self.remember_lease(control, lease.clone(), alarm).await?;
        // First nobody is told any more that the engine answers, then a last look at what is going on:
        // whoever begins now either is seen here or has to ask for a wake.
        self.answers(false);
        if control.parts.activity.going(&self.id).busy {
            engine.resume(&dial, &lease).await?;
            self.answers(true);
            return Ok(Some(ASK_AGAIN));
        }
        Ok(None)
    }

    async fn remember_lease(
        &self,
        control: &Control,
        lease: String,
        alarm: Option<Timestamp>,
    ) -> Result<(), ControlError> {
        control
            .change(&self.id, None, move |row| {
                row.suspension = Some(lease);
                row.alarm = alarm;
                Ok(())
            })
            .await
            .map(drop)
    }

    /// Ends the suspension that the row knows of. The engine takes work again when this returns.
    pub(super) async fn resume(&self, control: &Control) -> Result<(), ControlError> {
        let row = control.row(&self.id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        let Some(lease) = row.suspension else { return Ok(()) };
        let engine = &control.engine(&self.engine)?.engine;
        let resumed = engine.resume(&self.dial(control), &lease).await;
        match resumed {
            Ok(()) => {}
            // The process is another one than the lease was made with: there is nothing to end.
            Err(EngineError::Refused { why }) => {
                tracing::debug!(smartbox = %self.id, why, "the lease is over");
            }
            Err(EngineError::Unreachable(_) | EngineError::NotReady { .. }) => {
                self.memory().ready = None;
            }
            Err(error) => return Err(error.into()),
        }
        control
            .change(&self.id, None, |row| {
                row.suspension = None;
                Ok(())
            })
            .await
            .map(drop)
    }

    fn answers(&self, ready: bool) {
        self.now.send_modify(|now| now.ready = ready);
    }

    pub(super) fn dial(&self, control: &Control) -> BoxDial {
        BoxDial { runtime: control.parts.runtime.clone(), id: self.id.clone() }
    }
}
