//! The loop of a keeper.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use smartbox_core::sandbox::{EngineProcess, Observed, Phase};
use smartbox_core::smartbox::plan::{Seen, Step, backoff, next_look, plan};
use smartbox_core::smartbox::{Desired, Smartbox, State};
use smartbox_core::store::StoreError;
use smartbox_core::telemetry::{Event, Sleep, TRACE};
use smartbox_core::time::Timestamp;
use tokio::time::Instant;
use tracing::{Instrument, Span, info_span};

use super::strike::{Ends, ends};
use super::{Done, Keeper};
use crate::control::Control;
use crate::error::ControlError;
use crate::trail::Trail;

/// How often a frozen box is looked at: only to find that its sandbox is gone.
const FROZEN_HEARTBEAT: Duration = Duration::from_secs(60);
/// How often a box is looked at that has an alarm and no sandbox: a timer stands still while the machine
/// is suspended.
const ALARM_HEARTBEAT: Duration = Duration::from_mins(2);
/// How soon a box is looked at again whose init does not answer.
const MUTE_HEARTBEAT: Duration = Duration::from_secs(1);
/// For how long an init may not answer before it counts as dead: a machine may be on its knees.
const LONGEST_MUTE: Duration = Duration::from_secs(30);
/// How long it waits at most after looks that failed, as with a full disk.
const LONGEST_BLINDNESS: Duration = Duration::from_secs(30);
/// How far the row may be behind what is known of a box that is used.
const KEPT: Duration = Duration::from_mins(1);

impl Keeper {
    /// Keeps the box until it is removed or the platform goes down.
    pub(crate) async fn run(self: Arc<Self>, control: Arc<Control>) {
        let mut failed = 0_u32;
        loop {
            let look = control.draining.run_until_cancelled(self.look(&control)).await;
            failed = if matches!(look, Some(Err(_))) { failed.saturating_add(1) } else { 0 };
            let wait = match look {
                None => return,
                Some(Ok(Some(wait))) => wait,
                Some(Ok(None)) => break,
                Some(Err(error)) => {
                    tracing::warn!(smartbox = %self.id, error = &error as &dyn std::error::Error, "a look failed");
                    backoff(failed).min(LONGEST_BLINDNESS)
                }
            };
            let bell = tokio::time::timeout(wait, self.bell.notified());
            if control.draining.run_until_cancelled(bell).await.is_none() {
                return;
            }
        }
        control.keepers().remove(&self.id);
        control.parts.activity.forget(&self.id);
        control.ledger.forget(&self.id);
        self.now.send_modify(|now| now.gone = true);
    }

    /// Looks until there is nothing to do. Returns how long to wait for the next look; none if the box is gone.
    async fn look(
        self: &Arc<Self>,
        control: &Arc<Control>,
    ) -> Result<Option<Duration>, ControlError> {
        let mut stepped = false;
        loop {
            self.seen.store(self.wishes.load(Ordering::SeqCst), Ordering::SeqCst);
            let Some(row) = control.row(&self.id).await? else { return Ok(None) };
            let row = self.keep_activity(control, row).await?;
            let mut row = self.as_of_now(control, row);
            let observed = self.observe(control).await?;
            self.memory().seen = Some((control.parts.clock.now(), observed.clone()));
            if let Some(ends) = self.compare(&observed) {
                row = self.as_of_now(control, self.ended(control, ends).await?);
            }
            control.ledger.seen(&observed, self.counts_for(control, &row));
            if observed.phase != Phase::Absent && observed.fence == row.epoch {
                self.serve_calls(control)?;
            }
            let clock = control.parts.clock.now();
            let busy = control.parts.activity.going(&self.id).busy
                || self.memory().hold.is_some_and(|until| clock < until);
            if self.overheard(&row, &observed, clock) {
                self.alarm_heard(control, Self::short_hold()).await?;
                continue;
            }
            let seen = self.seen_now(&observed, busy);
            let policy = row.sleep_policy(control.parts.settings.sleep);
            let steps = plan(&row, &seen, policy, clock);
            if !steps.contains(&Step::Stop) {
                self.no_stop();
            }
            if steps.is_empty() && self.is_mute(&observed) {
                return Ok(Some(MUTE_HEARTBEAT));
            }
            if steps.is_empty() {
                if std::mem::take(&mut stepped) {
                    self.because(Trail::default());
                }
                self.settle(&row);
                if self.probe(control, &row, &observed).await? {
                    continue;
                }
                return Ok(Some(self.wait(control, &row, &observed, clock)));
            }
            let waking = waking(&steps).map(|from| (from, Instant::now()));
            stepped = true;
            for step in steps {
                match self.perform(control, step).instrument(self.span(step)).await {
                    Ok(Done::Yes) => {
                        if let (Step::Record(State::Running), Some((from, began))) = (step, waking)
                        {
                            let took = began.elapsed();
                            control.parts.telemetry.note(Event::Woke { from, took });
                        }
                    }
                    Ok(Done::NotNow(after)) => {
                        self.settle(&row);
                        return Ok(Some(after));
                    }
                    Err(ControlError::Engine(error)) if step == Step::Freeze => {
                        tracing::warn!(smartbox = %self.id, %error, "the engine could not be asked to hold still");
                        self.memory().ready = None;
                        return Ok(Some(Duration::from_secs(1)));
                    }
                    Err(error) => match self.fail(control, step, error).await? {
                        Some(pause) => return Ok(Some(pause)),
                        None => break,
                    },
                }
                if step == Step::Forget {
                    return Ok(None);
                }
            }
        }
    }

    /// Of a step, under the wish that it helps to make true.
    fn span(&self, step: Step) -> Span {
        let word = match step {
            Step::Start => "start",
            Step::StartEngine => "start-engine",
            Step::AwaitReady => "await-ready",
            Step::Thaw => "thaw",
            Step::Freeze => "freeze",
            Step::Stop => "stop",
            Step::Discard => "discard",
            Step::Forget => "forget",
            Step::Record(_) => return Span::none(),
        };
        let span = info_span!(target: TRACE, parent: None, "box.step", smartbox.id = %self.id, smartbox.step = word);
        self.memory().cause.leads_to(&span);
        span
    }

    fn seen_now<'a>(&self, sandbox: &'a Observed, busy: bool) -> Seen<'a> {
        let mut memory = self.memory();
        let silent = sandbox.phase == Phase::Up && sandbox.engine == EngineProcess::Unknown;
        memory.mute = memory.mute.filter(|_| silent).or_else(|| silent.then(Instant::now));
        let lost = memory.mute.is_some_and(|since| since.elapsed() >= LONGEST_MUTE);
        Seen { sandbox, busy, ready: memory.ready.is_some(), dead: memory.dead || lost }
    }

    /// Whether the engine is not known to be ready, and init does not say.
    fn is_mute(&self, observed: &Observed) -> bool {
        let memory = self.memory();
        memory.mute.is_some() && memory.ready.is_none() && observed.phase == Phase::Up
    }

    /// Writes down when the box was used last, now and then, so that another process knows. A time that is
    /// still to come is of a clock that was wrong, and would keep it awake until then.
    async fn keep_activity(
        &self,
        control: &Control,
        row: Smartbox,
    ) -> Result<Smartbox, ControlError> {
        let (now, activity) = (control.parts.clock.now(), &control.parts.activity);
        if activity.going(&self.id).last > now {
            activity.touched(&self.id);
        }
        let last = row.last_active.max(activity.going(&self.id).last).min(now);
        if row.last_active <= now && last.since(row.last_active) < KEPT {
            return Ok(row);
        }
        control
            .change(&self.id, None, move |row| {
                row.last_active = last;
                Ok(())
            })
            .await
    }

    /// The row with what only memory knows: newer activity, a hold, a platform that closes.
    pub(super) fn as_of_now(&self, control: &Control, mut row: Smartbox) -> Smartbox {
        row.last_active = row.last_active.max(control.parts.activity.going(&self.id).last);
        if control.closing.load(Ordering::SeqCst)
            || control.idle(&row.account)
            || control.archiving.stands_still(&self.id)
        {
            row.desired = Desired::Off;
        }
        row
    }

    /// Whether the engine's own alarm is due while it is awake: it needs nobody for that, and it must not
    /// count as due for ever.
    fn overheard(&self, row: &Smartbox, observed: &Observed, clock: Timestamp) -> bool {
        observed.phase == Phase::Up
            && self.memory().ready.is_some()
            && row.alarm.is_some_and(|at| at <= clock)
    }

    /// A process that was started anew, or is gone, has yet to say that it is ready.
    /// Says how often it ended since.
    fn compare(&self, observed: &Observed) -> Option<Ends> {
        let starts = match (observed.phase, &observed.engine) {
            (Phase::Absent, _) => None,
            (Phase::Frozen, _) => self.memory().ready,
            (Phase::Up, EngineProcess::Running { starts, .. }) => Some(*starts),
            // A link that did not answer in time says nothing about the engine.
            (Phase::Up, EngineProcess::Unknown) => self.memory().ready,
            (Phase::Up, _) => None,
        };
        let mut memory = self.memory();
        let ready = memory.ready.filter(|ready| Some(*ready) != starts)?;
        memory.ready = None;
        drop(memory);
        self.now.send_modify(|now| now.ready = false);
        ends(ready, observed)
    }

    fn settle(&self, row: &Smartbox) {
        let ready = self.memory().ready.is_some();
        let settled = self.seen.load(Ordering::SeqCst) == self.wishes.load(Ordering::SeqCst);
        self.now.send_if_modified(|now| {
            let before = now.clone();
            now.state = row.state;
            now.failure.clone_from(&row.failure);
            now.ready = ready;
            now.leaving = false;
            now.settled = settled;
            *now != before
        });
    }

    fn wait(
        &self,
        control: &Control,
        row: &Smartbox,
        observed: &Observed,
        clock: Timestamp,
    ) -> Duration {
        let settings = &control.parts.settings;
        let beat = match observed.phase {
            Phase::Up => settings.heartbeat,
            Phase::Frozen => FROZEN_HEARTBEAT,
            Phase::Absent if row.alarm.is_some() => ALARM_HEARTBEAT,
            Phase::Absent => Duration::from_secs(3600),
        };
        let hold = self.memory().hold.filter(|until| clock < *until);
        let policy = row.sleep_policy(settings.sleep);
        let next = next_look(row, policy, clock).into_iter().chain(hold).min();
        next.map_or(beat, |at| at.since(clock).min(beat)).max(Duration::from_millis(5))
    }

    /// Writes a failure to the row, so that everybody sees it, and when the next start may be tried. Returns
    /// how long to wait before anything else is, where the plan does not know by the row.
    async fn fail(
        self: &Arc<Self>,
        control: &Arc<Control>,
        step: Step,
        error: ControlError,
    ) -> Result<Option<Duration>, ControlError> {
        if matches!(error, ControlError::Store(StoreError::Fenced) | ControlError::Draining) {
            return Err(error);
        }
        let clock = control.parts.clock.now();
        let failure = super::boot::classify(&error, step, clock);
        tracing::warn!(smartbox = %self.id, ?step, reason = %failure.reason, error = &error as &dyn std::error::Error, "a step failed");
        let starting =
            matches!(step, Step::Start | Step::StartEngine | Step::AwaitReady | Step::Thaw);
        let (recorded, ending) = (failure.clone(), self.memory().ending.take());
        let row = control
            .change(&self.id, None, move |row| {
                row.state = State::Failed;
                row.failures = row.failures.saturating_add(1);
                row.vitals.exit = ending.or(row.vitals.exit);
                if starting {
                    row.vitals.breaker.strike(&recorded, &row.name, clock);
                }
                row.failure = row.vitals.breaker.open.clone().or(Some(recorded));
                row.retry_at = Some(clock.plus(backoff(row.failures)));
                Ok(())
            })
            .await?;
        self.complain(control, &row, Some(&failure), ending).await;
        if starting {
            control.parts.telemetry.note(Event::FailedStart(failure.reason));
            self.forget_sandbox();
            self.shift(control, smartbox_core::sandbox::Shift::Remove).await?;
        }
        self.say("failed");
        self.settle(&row);
        Ok((!starting).then(|| backoff(row.failures)))
    }
}

/// From which sleep these steps wake the box, if they do.
fn waking(steps: &[Step]) -> Option<Sleep> {
    steps.iter().find_map(|step| match step {
        Step::Start | Step::StartEngine => Some(Sleep::Cold),
        Step::Thaw => Some(Sleep::Frozen),
        _ => None,
    })
}
