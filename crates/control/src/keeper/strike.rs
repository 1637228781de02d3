//! Counting what goes wrong: ends of the engine that nobody asked for, and probes without an answer.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::engine::Health;
use smartbox_core::issue::Kind;
use smartbox_core::sandbox::{EngineProcess, Exit, Observed, Phase};
use smartbox_core::smartbox::breaker::LIMIT;
use smartbox_core::smartbox::pulse::Verdict;
use smartbox_core::smartbox::vitals::{Ending, classify};
use smartbox_core::smartbox::{Failure, Reason, Smartbox};
use tokio::time::Instant;

use super::Keeper;
use crate::control::Control;
use crate::error::ControlError;
use crate::issues::Cause;

/// How often an engine that is well is probed.
pub(super) const PROBE: Duration = Duration::from_secs(30);
/// How soon one in doubt is probed again.
const PROBE_AGAIN: Duration = Duration::from_secs(10);
/// How long a probe waits for its answer.
const ANSWER: Duration = Duration::from_secs(10);

/// Ends of the engine's process, seen at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    /// How many.
    pub(super) times: u32,
    /// How the last one was, if that is known: not if the whole sandbox was gone.
    pub(super) last: Option<Exit>,
}

/// What happened to a process that was ready after `ready` starts.
pub(super) fn ends(ready: u32, observed: &Observed) -> Option<Ends> {
    let (times, last) = match (observed.phase, &observed.engine) {
        (Phase::Absent, _) => (1, None),
        (Phase::Up, EngineProcess::Running { starts, last }) => {
            (starts.saturating_sub(ready), *last)
        }
        (Phase::Up, EngineProcess::Backoff { starts, last }) => {
            (starts.saturating_sub(ready) + 1, Some(*last))
        }
        (Phase::Up, EngineProcess::Ended { last }) => (1, Some(*last)),
        // Another order was given, or init did not answer: nothing is known to have ended.
        (Phase::Up, EngineProcess::Idle | EngineProcess::Unknown) | (Phase::Frozen, _) => (0, None),
    };
    // What a hostile init says is bounded.
    (times > 0).then(|| Ends { times: times.min(u32::try_from(LIMIT).unwrap_or(u32::MAX)), last })
}

impl Keeper {
    /// Writes down that the engine ended by itself.
    pub(super) async fn ended(
        &self,
        control: &Control,
        ends: Ends,
    ) -> Result<Smartbox, ControlError> {
        let ending = self.ending(control, ends.last.unwrap_or_default()).await;
        let failure = told(ending, ends.last.is_some());
        self.strike(control, failure, ends.times, Some(ending)).await
    }

    /// The class of an end, with what else is known of the box.
    pub(super) async fn ending(&self, control: &Control, exit: Exit) -> Ending {
        let codes = control
            .engine(&self.engine)
            .map(|slot| slot.engine.manifest().config_exit.clone())
            .unwrap_or_default();
        let home = control.parts.gauges.home(self.id.clone()).await.unwrap_or_default();
        Ending {
            at: control.parts.clock.now(),
            reason: classify(exit, &codes, home.is_full()),
            code: exit.code,
            signal: exit.signal,
        }
    }

    /// Counts a failure `times` times, and tells those who look at issues.
    pub(super) async fn strike(
        &self,
        control: &Control,
        failure: Failure,
        times: u32,
        ending: Option<Ending>,
    ) -> Result<Smartbox, ControlError> {
        let now = control.parts.clock.now();
        tracing::warn!(smartbox = %self.id, reason = %failure.reason, times, "the engine had to be started again");
        let row = control
            .change(&self.id, None, move |row| {
                for _ in 0..times {
                    row.vitals.breaker.strike(&failure, &row.name, now);
                }
                row.vitals.exit = ending.or(row.vitals.exit);
                Ok(())
            })
            .await?;
        self.complain(control, &row, None, ending).await;
        Ok(row)
    }

    /// Opens the issues that a failure makes.
    pub(super) async fn complain(
        &self,
        control: &Control,
        row: &Smartbox,
        failure: Option<&Failure>,
        ending: Option<Ending>,
    ) {
        let cause = |kind: Kind, failure: &Failure| Cause {
            kind,
            account: Some(row.account.clone()),
            smartbox: Some(row.id.clone()),
            about: String::new(),
            message: format!("{}: {}", row.name, failure.message),
            hint: failure.hint.clone(),
        };
        if let Some(open) = &row.vitals.breaker.open {
            control.settle_issues(&row.id, &[Kind::BoxFailed]).await;
            control.raise(cause(Kind::BreakerOpen, open)).await;
        } else if let Some(failure) = failure {
            control.raise(cause(Kind::BoxFailed, failure)).await;
        }
        if ending.is_some_and(|ending| ending.reason == Reason::OutOfMemory) {
            let failure = Failure {
                reason: Reason::OutOfMemory,
                message: "The engine was ended because it hit the memory limit of its tier.".into(),
                hint: format!(
                    "Give it a larger tier than {}, or ask less of it at once.",
                    row.tier
                ),
                at: control.parts.clock.now(),
            };
            control.raise(cause(Kind::MemoryLimit, &failure)).await;
        }
    }

    /// Probes an engine that is ready, if it is time. Says whether what is known of it has changed, so
    /// that a look must plan anew. A wish that comes meanwhile goes first.
    pub(super) async fn probe(
        self: &Arc<Self>,
        control: &Arc<Control>,
        row: &Smartbox,
        observed: &Observed,
    ) -> Result<bool, ControlError> {
        let expected = observed.phase == Phase::Up
            && matches!(observed.engine, EngineProcess::Running { .. })
            && row.suspension.is_none();
        let (ready, due) = {
            let memory = self.memory();
            (memory.ready, memory.probe_at.is_some_and(|at| at <= Instant::now()))
        };
        let (Some(_), true, true) = (ready, expected, due) else { return Ok(false) };
        let pauses = self.pauses();
        if pauses % 2 == 1 {
            self.memory().probe_at = Some(Instant::now() + PROBE_AGAIN);
            return Ok(false);
        }
        let engine = &control.engine(&self.engine)?.engine;
        let dial = self.dial(control);
        let asked = tokio::time::timeout(ANSWER, engine.health(&dial));
        let answered = tokio::select! {
            health = asked => matches!(
                health,
                Ok(Ok(Health::Ready | Health::Draining | Health::Starting(_)))
            ),
            // The next look sees what it rang for, and probes later.
            () = self.bell.notified() => {
                return Ok(true);
            }
        };
        if !answered && self.pauses() != pauses {
            // It could not answer while it was held still: that is no silence of its own.
            self.memory().probe_at = Some(Instant::now() + PROBE_AGAIN);
            return Ok(false);
        }
        let patience = control.parts.settings.patience;
        let (verdict, missed) = {
            let mut memory = self.memory();
            let verdict = memory.pulse.beat(answered, patience);
            let pause = if verdict == Verdict::Well { PROBE } else { PROBE_AGAIN };
            memory.probe_at = Some(Instant::now() + pause);
            memory.dead = verdict == Verdict::Dead;
            (verdict, memory.pulse.missed())
        };
        if verdict != Verdict::Dead {
            return Ok(false);
        }
        let failure = Failure {
            reason: Reason::Timeout,
            message: format!("The engine ran but did not answer {missed} times in a row."),
            hint: "Look at `smartbox logs`.".into(),
            at: control.parts.clock.now(),
        };
        self.strike(control, failure, 1, None).await?;
        Ok(true)
    }

    /// From now on answers are expected again, after a moment.
    pub(super) fn begin_probes(&self) {
        let mut memory = self.memory();
        (memory.pulse, memory.dead) = (Default::default(), false);
        memory.probe_at = Some(Instant::now() + PROBE);
    }
}

fn told(ending: Ending, known: bool) -> Failure {
    let how = match (known, ending.code, ending.signal) {
        (false, ..) => "its sandbox was gone".to_owned(),
        (true, _, Some(signal)) => format!("signal {signal}"),
        (true, Some(code), None) => format!("exit code {code}"),
        (true, None, None) => "an unknown status".to_owned(),
    };
    let message = match ending.reason {
        Reason::OutOfMemory => "The engine ran out of its tier's memory.".to_owned(),
        Reason::Quota => format!("The engine ended by itself ({how}) while its home was full."),
        Reason::BadConfig => format!("The engine refused its configuration ({how})."),
        _ => format!("The engine ended by itself ({how})."),
    };
    Failure {
        reason: ending.reason,
        message,
        hint: "Look at `smartbox logs`.".into(),
        at: ending.at,
    }
}

#[cfg(test)]
mod tests {
    use smartbox_core::sandbox::Memory;

    use super::*;

    fn seen(phase: Phase, engine: EngineProcess) -> Observed {
        let id = "box_00000000000000000001".parse().unwrap();
        Observed { id, phase, fence: 1, engine, memory: Memory::default() }
    }

    #[test]
    fn every_end_is_seen_once_and_what_is_not_known_is_none() {
        let exit = Exit { code: Some(1), signal: None, oom: false };
        let running = |starts| EngineProcess::Running { starts, last: Some(exit) };
        let times = |phase, engine| ends(2, &seen(phase, engine)).map(|ends| ends.times);
        assert_eq!(times(Phase::Up, running(2)), None);
        assert_eq!(times(Phase::Up, running(4)), Some(2));
        assert_eq!(times(Phase::Up, EngineProcess::Backoff { starts: 2, last: exit }), Some(1));
        assert_eq!(times(Phase::Up, EngineProcess::Ended { last: exit }), Some(1));
        assert_eq!(times(Phase::Absent, EngineProcess::Unknown), Some(1));
        assert_eq!(times(Phase::Up, EngineProcess::Unknown), None);
        assert_eq!(times(Phase::Frozen, EngineProcess::Unknown), None);
        assert_eq!(times(Phase::Up, running(u32::MAX)), Some(5), "init may lie");
        assert_eq!(times(Phase::Up, running(0)), None, "another order began to count anew");
    }
}
