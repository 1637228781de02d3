//! Waiting until the engine answers.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::engine::Health;
use smartbox_core::engine::port::EngineError;
use smartbox_core::issue::Kind;
use smartbox_core::sandbox::Exit;
use smartbox_core::sandbox::port::BoxDial;
use smartbox_core::smartbox::{Failure, Reason, State};
use smartbox_core::time::Timestamp;
use smartbox_link::Link;
use smartbox_link::wire::{EngineState, Status};

use super::boot::{LAST_GOOD, REFUSED};
use super::{Done, Keeper};
use crate::control::Control;
use crate::error::ControlError;
use crate::issues::Cause;

/// Starts of the engine's process by init before the whole sandbox counts as failed.
const STARTS: u32 = 5;
/// How long an alarm's job may take to begin after a thaw; after a boot the engine itself defers it.
const ALARM_HOLD: Duration = Duration::from_secs(15);
/// The engine runs jobs that it missed while it was stopped two minutes after it is ready.
const ALARM_HOLD_AFTER_BOOT: Duration = Duration::from_secs(150);

impl Keeper {
    pub(super) async fn await_ready(
        self: &Arc<Self>,
        control: &Arc<Control>,
    ) -> Result<Done, ControlError> {
        if self.memory().ready.is_none() {
            self.serve_calls(control)?;
            self.wait_until_ready(control).await?;
        }
        Ok(Done::Yes)
    }

    /// Asks the engine until it says that it is ready, and init whether it still lives. Ends with the first
    /// of: ready, refused configuration, too many crashes, out of memory, deadline.
    pub(super) async fn wait_until_ready(
        self: &Arc<Self>,
        control: &Arc<Control>,
    ) -> Result<(), ControlError> {
        let slot = control.engine(&self.engine)?;
        let limit = Duration::from_secs(slot.engine.manifest().ready_secs)
            * control.parts.settings.patience;
        let late = || ControlError::Late { state: State::Starting };
        tokio::time::timeout(limit, self.poll_until_ready(control)).await.map_err(|_| late())?
    }

    async fn poll_until_ready(
        self: &Arc<Self>,
        control: &Arc<Control>,
    ) -> Result<(), ControlError> {
        let engine = &control.engine(&self.engine)?.engine;
        let dial = BoxDial { runtime: control.parts.runtime.clone(), id: self.id.clone() };
        let link = control.link(&self.id).await?;
        let mut fell_back = false;
        let mut pause = Duration::from_millis(20);
        loop {
            let status = link.status().await?;
            self.check(control, &link, &status, &mut fell_back).await?;
            let health = match engine.health(&dial).await {
                // It blocks while it loads, or is being started again; init says if it is gone for good.
                Err(
                    EngineError::NotReady { .. }
                    | EngineError::Unreachable(_)
                    | EngineError::Interrupted,
                ) => Health::Silent,
                known => known?,
            };
            match health {
                Health::Ready => return self.is_ready(control, &link, status.engine.starts).await,
                Health::Silent => self.say("the engine is starting"),
                Health::Starting(phase) => self.say(&format!("the engine is starting ({phase})")),
                // Prepared for a sleep that an earlier process did not finish.
                Health::Draining => {
                    self.say("the engine is finishing its work");
                    self.resume(control).await?;
                }
            }
            // The engine has no event for this: its port is silent until it is up.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(250));
        }
    }

    async fn is_ready(
        &self,
        control: &Control,
        link: &Link,
        starts: u32,
    ) -> Result<(), ControlError> {
        let config = self.memory().config.take();
        if let Some(config) = config
            && link.read(LAST_GOOD).await?.as_ref() != Some(&config)
        {
            link.write(LAST_GOOD, 0o600, config).await?;
        }
        self.memory().ready = Some(starts);
        self.begin_probes();
        if !self.memory().fell_back {
            self.notice(None);
            control.settle_issues(&self.id, &[Kind::ConfigRefused]).await;
        }
        let row = control.row(&self.id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        if row.suspension.is_some() {
            // Made with a process that is gone: this one takes work.
            self.no_suspension(control).await?;
        }
        self.alarm_heard(control, ALARM_HOLD_AFTER_BOOT).await
    }

    /// After waking: an alarm that is due has done its work; the box stays awake until its job can have begun.
    pub(super) async fn alarm_heard(
        &self,
        control: &Control,
        hold: Duration,
    ) -> Result<(), ControlError> {
        let now = control.parts.clock.now();
        let row = control.row(&self.id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        if row.alarm.is_some_and(|at| at <= now) {
            self.memory().hold = Some(now.plus(hold));
            control
                .change(&self.id, None, move |row| {
                    row.alarm = None;
                    row.last_active = row.last_active.max(now);
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }

    pub(super) fn short_hold() -> Duration {
        ALARM_HOLD
    }

    async fn check(
        &self,
        control: &Control,
        link: &Link,
        status: &Status,
        fell_back: &mut bool,
    ) -> Result<(), ControlError> {
        let engine = &status.engine;
        let at = control.parts.clock.now();
        let exit = engine.last_exit.unwrap_or_default();
        if engine.last_exit.is_some() {
            let known = Exit { code: exit.code, signal: exit.signal, oom: exit.oom };
            let ending = self.ending(control, known).await;
            self.memory().ending = Some(ending);
        }
        if engine.state == EngineState::Ended {
            return if *fell_back {
                Err(self.refused_config(control, at).await)
            } else {
                *fell_back = true;
                self.fall_back(control, link, at).await
            };
        }
        if engine.starts >= STARTS && engine.state == EngineState::Backoff {
            let reason = self.memory().ending.map_or(Reason::Crash, |ending| ending.reason);
            let message = match reason {
                Reason::OutOfMemory => {
                    "The engine ran out of its tier's memory while starting.".to_owned()
                }
                _ => format!(
                    "The engine ended by itself {STARTS} times while starting (exit {:?}, signal {:?}).",
                    exit.code, exit.signal
                ),
            };
            let hint = "Look at `smartbox logs`.".to_owned();
            return Err(ControlError::Failed(Failure { reason, message, hint, at }));
        }
        Ok(())
    }

    /// The engine refused its configuration: start it with the last one that worked, and tell the owner.
    async fn fall_back(
        &self,
        control: &Control,
        link: &Link,
        at: Timestamp,
    ) -> Result<(), ControlError> {
        let why = self.refused_config(control, at).await;
        if matches!(&why, ControlError::Failed(failure) if failure.reason != Reason::BadConfig) {
            // No other configuration helps.
            return Err(why);
        }
        let Some(tried) = self.memory().config.clone() else { return Err(why) };
        let row = control.row(&self.id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        // The box may have put anything in its place: then there is none.
        let last = link.read(LAST_GOOD).await.ok().flatten();
        let good = control.config_to_fall_back_to(&row, &tried, last, &why.to_string()).await?;
        let Some((good, which)) = good else { return Err(why) };
        link.write(REFUSED, 0o600, tried).await?;
        self.memory().fell_back = true;
        let notice =
            format!("{why} It started with {which}; the refused one is kept as ~/{REFUSED}.");
        self.refused(control, notice).await?;
        self.order(control, link, good).await
    }

    /// Tells the owner that the engine runs with another configuration than theirs.
    pub(super) async fn refused(
        &self,
        control: &Control,
        notice: String,
    ) -> Result<(), ControlError> {
        let row = control.row(&self.id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        control
            .raise(Cause {
                kind: Kind::ConfigRefused,
                account: Some(row.account),
                smartbox: Some(row.id),
                about: String::new(),
                message: format!("{}: {notice}", row.name),
                hint: format!("Correct it, then `smartbox restart {}`.", row.name),
            })
            .await;
        self.notice(Some(notice));
        Ok(())
    }

    async fn refused_config(&self, control: &Control, at: Timestamp) -> ControlError {
        let log = control.log_tail(&self.id, 4096).await.map(|page| page.bytes).unwrap_or_default();
        let complaint = control.engine(&self.engine).ok().and_then(|slot| (slot.complaint)(&log));
        let (reason, said) = complaint
            .map_or((Reason::BadConfig, String::new()), |(reason, said)| {
                (reason, format!(": {}", said.trim_end_matches('.')))
            });
        let (message, hint) = match reason {
            Reason::EngineTooOld => (
                format!("Its home was written by a newer engine{said}."),
                "Start the newest `smartbox up`, which installs the engine that it pins, or go back to a \
                 snapshot from before: `smartbox snapshot ls`.",
            ),
            _ => (
                format!("The engine refuses its configuration{said}."),
                "Correct the file in the smartbox's home, then `smartbox restart` it.",
            ),
        };
        ControlError::Failed(Failure { reason, message, hint: hint.to_owned(), at })
    }
}
