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

use smartbox_core::engine::port::EngineError;
use smartbox_core::engine::{Health, Suspended};
use smartbox_core::sandbox::Shift;
use smartbox_core::sandbox::port::BoxDial;
use smartbox_core::smartbox::{Smartbox, State};
use smartbox_core::time::Timestamp;
use tokio::time::Instant;

use super::{Done, Keeper};
use crate::control::Control;
use crate::error::ControlError;

/// How long a stop waits for work in progress before it ends the engine all the same.
const LONGEST_TURN: Duration = Duration::from_secs(330);
/// How long a stop asks an engine that was ready once and is silent.
const SILENCE: Duration = Duration::from_secs(30);
/// How soon to ask a busy engine again. Its own word is 20 s, made for larger drains than one person's turn.
const ASK_AGAIN: Duration = Duration::from_secs(2);

impl Keeper {
    pub(super) async fn freeze(
        self: &Arc<Self>,
        control: &Arc<Control>,
    ) -> Result<Done, ControlError> {
        let last = control.parts.activity.going(&self.id).last;
        if let Some(wait) = self.hold_still(control).await? {
            return Ok(Done::NotNow(wait));
        }
        self.say("going to sleep");
        // Open pages are told before: from here on they keep what a person does, and ask for a wake.
        // Whoever waits for the box to be frozen waits on.
        self.now.send_modify(|now| (now.state, now.settled) = (State::Frozen, false));
        let page_out = control.parts.settings.page_out;
        self.shift(control, Shift::Freeze { page_out }).await?;
        let now = control.parts.clock.now();
        if control.parts.activity.going(&self.id).last > last {
            // Somebody did something while it fell asleep, which no engine has heard.
            control
                .change(&self.id, None, move |row| {
                    row.touch(now);
                    Ok(())
                })
                .await?;
        }
        Ok(Done::Yes)
    }

    pub(super) async fn stop(
        self: &Arc<Self>,
        control: &Arc<Control>,
    ) -> Result<Done, ControlError> {
        self.say("stopping");
        let waited = self.memory().stopping.get_or_insert_with(Instant::now).elapsed();
        let asked = self.hold_still(control).await;
        let unheard = self.unheard(matches!(asked, Err(ControlError::Engine(_))));
        match asked {
            Ok(None) => {}
            Ok(Some(wait)) if waited < LONGEST_TURN => {
                self.say("waiting for what goes on in it (a turn, a command, an open terminal)");
                return Ok(Done::NotNow(wait));
            }
            Err(ControlError::Engine(_)) if unheard < SILENCE => {
                self.say("waiting for the engine, which does not answer");
                return Ok(Done::NotNow(ASK_AGAIN));
            }
            Ok(Some(_)) => {
                tracing::warn!(smartbox = %self.id, "it is still busy, and ended");
            }
            Err(ControlError::Engine(error)) => {
                tracing::warn!(smartbox = %self.id, %error, "the engine cannot be asked, and is ended");
            }
            Err(error) => return Err(error),
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
        self.no_stop();
        let row = self.no_suspension(control).await?;
        self.keep_home(control, Self::why_stopped(&row)).await;
        Ok(Done::Yes)
    }

    /// For how long the engine has been asked in vain.
    fn unheard(&self, failed: bool) -> Duration {
        let mut memory = self.memory();
        memory.unheard = memory.unheard.filter(|_| failed).or_else(|| failed.then(Instant::now));
        memory.unheard.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// No stop is under way: the next one waits anew for what goes on then.
    pub(super) fn no_stop(&self) {
        let mut memory = self.memory();
        (memory.stopping, memory.unheard) = (None, None);
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
        let engine = &control.engine(&self.engine)?.engine;
        let dial = self.dial(control);
        let row = control.row(&self.id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        if self.memory().ready.is_none() {
            // This process has not heard of it yet; it may be in the middle of a turn for all that.
            match engine.health(&dial).await {
                Ok(Health::Ready | Health::Draining) => {}
                Err(error) if row.state == State::Running => return Err(error.into()),
                Ok(Health::Silent) if row.state == State::Running => {
                    return Err(EngineError::Interrupted.into());
                }
                // One that boots has no turn to protect.
                Ok(Health::Silent | Health::Starting(_)) | Err(_) => return Ok(None),
            }
        }
        let before = control.parts.activity.going(&self.id);
        if before.busy {
            return Ok(Some(ASK_AGAIN));
        }
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
        let going = control.parts.activity.going(&self.id);
        if going.busy || going.last > before.last {
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
            // It ends now, or is on its knees: it is asked again once it answers, if it still holds still.
            Err(error) if error.passes() => {
                self.memory().ready = None;
                return Ok(());
            }
            Err(error) => {
                tracing::warn!(smartbox = %self.id, %error, "the engine's suspension could not be ended");
                self.memory().ready = None;
            }
        }
        self.no_suspension(control).await.map(drop)
    }

    /// Forgets a suspension that is over.
    pub(super) async fn no_suspension(&self, control: &Control) -> Result<Smartbox, ControlError> {
        control
            .change(&self.id, None, |row| {
                row.suspension = None;
                Ok(())
            })
            .await
    }

    fn answers(&self, ready: bool) {
        self.now.send_modify(|now| now.ready = ready);
    }

    pub(super) fn dial(&self, control: &Control) -> BoxDial {
        BoxDial { runtime: control.parts.runtime.clone(), id: self.id.clone() }
    }
}
