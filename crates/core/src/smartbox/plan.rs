//! The one rule that decides what to do with a box: from what is wished and what is seen to the next steps.

use std::time::Duration;

use crate::sandbox::{EngineProcess, Observed, Phase};
use crate::smartbox::{Desired, Rest, Smartbox, State};
use crate::time::Timestamp;

/// No failed start is followed by a longer pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// When idle boxes go to sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SleepPolicy {
    /// Idle for so long: frozen.
    pub freeze_after: Duration,
    /// Idle for so long: stopped.
    pub stop_after: Duration,
}

/// What is seen of a box, besides its row.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// Its sandbox.
    pub sandbox: &'a Observed,
    /// Whether something is going on: a request, a turn, an exec, a model call.
    pub busy: bool,
    /// Whether the engine said that it is ready, since this sandbox was thawed last.
    pub ready: bool,
    /// Whether it has not answered for too long: the engine its probe, or init at all.
    pub dead: bool,
}

/// One thing to do. The performer does the steps in order and stops at the first that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Make a sandbox under a new epoch, configure and start the engine.
    Start,
    /// Tell init of the present sandbox to start the engine (it was made, and its maker died).
    StartEngine,
    /// Wait until the engine says that it is ready.
    AwaitReady,
    /// Let the engine's processes run, and end its suspension.
    Thaw,
    /// Ask the engine to hold still, read its next alarm, freeze it. If it is busy: not now.
    Freeze,
    /// Ask the engine to hold still, read its next alarm, end it, remove the sandbox. If it is busy: not now.
    Stop,
    /// Remove the sandbox without asking.
    Discard,
    /// Remove home, logs and row.
    Forget,
    /// Write this state to the row.
    Record(State),
}

/// What a box should be like now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// No sandbox.
    Stopped,
    /// Frozen if there is a sandbox; a stopped box is not started for it.
    Frozen,
    /// Running.
    Running,
}

/// What the wishes come to at this moment.
pub fn target(row: &Smartbox, busy: bool, policy: SleepPolicy, now: Timestamp) -> Target {
    if row.removing || row.desired == Desired::Off {
        return Target::Stopped;
    }
    let alarm_due = row.alarm.is_some_and(|at| at <= now);
    if alarm_due || (busy && row.rest.is_none()) {
        return Target::Running;
    }
    match (row.rest, row.desired) {
        (Some(Rest::Stopped), _) => Target::Stopped,
        (Some(Rest::Frozen), _) => Target::Frozen,
        (None, Desired::On) => Target::Running,
        (None, _) => {
            let idle = now.since(row.last_active);
            if idle >= policy.stop_after {
                Target::Stopped
            } else if idle >= policy.freeze_after {
                Target::Frozen
            } else {
                Target::Running
            }
        }
    }
}

/// The steps from what is seen to what is wished. An empty list means: nothing to do.
///
/// Properties (tested): the steps never freeze or stop a box that is wished to run; applying
/// them to what is seen brings it to the target; a box at its target gets no step but a record; one
/// whose breaker is open is not started.
pub fn plan(row: &Smartbox, seen: &Seen<'_>, policy: SleepPolicy, now: Timestamp) -> Vec<Step> {
    let phase = seen.sandbox.phase;
    if row.removing {
        return match phase {
            Phase::Absent => vec![Step::Forget],
            _ => vec![Step::Discard, Step::Forget],
        };
    }
    let target = target(row, seen.busy, policy, now);
    if target == Target::Running && row.vitals.breaker.is_open() {
        return match phase {
            Phase::Absent => record(row, State::Failed),
            _ => vec![Step::Discard, Step::Record(State::Failed)],
        };
    }
    if phase != Phase::Absent && seen.sandbox.fence != row.epoch {
        // A sandbox of another epoch: its row was never committed, or is history.
        let mut steps = vec![Step::Discard];
        steps.extend(absent(row, target, now));
        return steps;
    }
    match phase {
        Phase::Absent => absent(row, target, now),
        Phase::Frozen => frozen(row, target),
        Phase::Up => up(row, seen, target),
    }
}

fn absent(row: &Smartbox, target: Target, now: Timestamp) -> Vec<Step> {
    // What lies further ahead was written by a clock that was wrong.
    let waiting = row.retry_at.is_some_and(|at| now < at && at.since(now) <= LONGEST_PAUSE);
    match target {
        Target::Running if row.state == State::Failed && waiting => vec![],
        Target::Running => vec![
            Step::Record(State::Starting),
            Step::Start,
            Step::AwaitReady,
            Step::Record(State::Running),
        ],
        _ if row.state == State::Failed && row.desired != Desired::Off => vec![],
        _ => record(row, State::Stopped),
    }
}

fn frozen(row: &Smartbox, target: Target) -> Vec<Step> {
    // Held still for a snapshot by a process that is gone: the engine was not asked, its alarm not read.
    let held = row.state == State::Running && row.suspension.is_none();
    match target {
        Target::Frozen if held && row.restart == row.restarted => {
            vec![Step::Thaw, Step::AwaitReady, Step::Freeze, Step::Record(State::Frozen)]
        }
        Target::Frozen if row.restart == row.restarted => record(row, State::Frozen),
        // A frozen box cannot be asked to hold still (it does already, by its lease): it is thawed
        // first so that it can end cleanly.
        Target::Frozen | Target::Stopped => {
            vec![Step::Thaw, Step::Stop, Step::Record(State::Stopped)]
        }
        Target::Running => vec![Step::Thaw, Step::AwaitReady, Step::Record(State::Running)],
    }
}

fn up(row: &Smartbox, seen: &Seen<'_>, target: Target) -> Vec<Step> {
    let stale = row.restart != row.restarted;
    match (&seen.sandbox.engine, target) {
        (EngineProcess::Ended { .. }, Target::Running) => {
            vec![
                Step::Discard,
                Step::Record(State::Starting),
                Step::Start,
                Step::AwaitReady,
                Step::Record(State::Running),
            ]
        }
        (EngineProcess::Ended { .. } | EngineProcess::Idle, Target::Stopped | Target::Frozen) => {
            vec![Step::Discard, Step::Record(State::Stopped)]
        }
        (EngineProcess::Idle, Target::Running) => {
            vec![
                Step::Record(State::Starting),
                Step::StartEngine,
                Step::AwaitReady,
                Step::Record(State::Running),
            ]
        }
        (_, Target::Running) if stale => vec![
            Step::Stop,
            Step::Record(State::Starting),
            Step::Start,
            Step::AwaitReady,
            Step::Record(State::Running),
        ],
        (_, Target::Running) if seen.dead => vec![
            Step::Discard,
            Step::Record(State::Starting),
            Step::Start,
            Step::AwaitReady,
            Step::Record(State::Running),
        ],
        (_, Target::Running) if seen.ready => record(row, State::Running),
        // Init does not answer at this moment, and may hold a turn: silent for long, it counts as dead.
        (EngineProcess::Unknown, Target::Running) => vec![],
        (_, Target::Running) => {
            let mut steps =
                if row.state == State::Running { vec![] } else { record(row, State::Starting) };
            steps.extend([Step::AwaitReady, Step::Record(State::Running)]);
            steps
        }
        (_, Target::Frozen) if stale => vec![Step::Stop, Step::Record(State::Stopped)],
        (_, Target::Frozen) if seen.ready => vec![Step::Freeze, Step::Record(State::Frozen)],
        // What it does, and when it wants to be woken, is not known before it answers.
        (_, Target::Frozen) => vec![Step::AwaitReady, Step::Freeze, Step::Record(State::Frozen)],
        (_, Target::Stopped) => vec![Step::Stop, Step::Record(State::Stopped)],
    }
}

fn record(row: &Smartbox, state: State) -> Vec<Step> {
    if row.state == state { vec![] } else { vec![Step::Record(state)] }
}

/// When the plan could change without anything happening: the loop looks again then.
pub fn next_look(row: &Smartbox, policy: SleepPolicy, now: Timestamp) -> Option<Timestamp> {
    let idle_ends =
        [policy.freeze_after, policy.stop_after].map(|after| row.last_active.plus(after));
    let sleeping = (row.desired == Desired::Auto && row.rest.is_none())
        .then_some(idle_ends)
        .into_iter()
        .flatten();
    let wakes = if row.desired == Desired::Off { None } else { row.alarm };
    sleeping.chain(wakes).chain(row.retry_at).filter(|at| *at > now).min()
}

/// How long to wait before the next start after `failures` failed ones in a row: 1 s, 2 s, 4 s … 5 min.
pub fn backoff(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(9)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
