//! How much there is of everything, for gauges: from memory and the machine's own counters. No record
//! is read and no sandbox is asked, so looking wakes nobody.

use std::time::Duration;

use smartbox_core::host::{self, Claims};
use smartbox_core::issue;
use smartbox_core::machine::Machine;
use smartbox_core::smartbox::State;

use crate::control::Control;

/// How much there is of everything at one moment.
#[derive(Debug, Clone, Default)]
pub struct Load {
    /// The state of each box.
    pub states: Vec<State>,
    /// What the sandboxes count for.
    pub claims: Claims,
    /// Bytes that may be given out to sandboxes; none if nobody can tell, or there is no bound.
    pub budget: Option<u64>,
    /// Jobs that wait for their turn.
    pub waiting: usize,
    /// Jobs that run.
    pub running: usize,
    /// The kind of each open issue.
    pub issues: Vec<issue::Kind>,
    /// For how long a box that runs may have had what is in no snapshot: the longest of them.
    pub snapshot_age: Duration,
    /// Boxes that run for which that is longer than their objective.
    pub past_objective: usize,
    /// The machine.
    pub machine: Machine,
}

impl Control {
    /// Looks how much there is of everything.
    pub fn load(&self) -> Load {
        let overcommit = self.parts.settings.overcommit;
        let host = self.parts.host.memory().filter(|_| overcommit > 0);
        let (waiting, running) = self.jobs.count();
        let (snapshot_age, past_objective) = self.freshness();
        Load {
            states: self.keepers().values().map(|keeper| keeper.state()).collect(),
            snapshot_age,
            past_objective,
            claims: self.ledger.sum(),
            budget: host.map(|host| host::budget(host, overcommit)),
            waiting,
            running,
            issues: self.issues.kinds(),
            machine: self.parts.gauges.machine(),
        }
    }

    /// Of boxes that run, as far as this process has looked: at rest nothing changes.
    fn freshness(&self) -> (Duration, usize) {
        let now = self.parts.clock.now();
        let ages: Vec<_> = self
            .keepers()
            .iter()
            .filter(|(_, keeper)| keeper.state() == State::Running)
            .filter_map(|(id, _)| self.archiving.age(id, now))
            .collect();
        let oldest = ages.iter().map(|(age, _)| *age).max().unwrap_or_default();
        (oldest, ages.iter().filter(|(age, objective)| age > objective).count())
    }
}
