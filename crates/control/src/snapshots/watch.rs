//! When snapshots are taken by themselves: so that what a running box changed is in a generation within
//! its objective, and once more when it comes to rest. A box at rest produces none.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::issue::Kind;
use smartbox_core::smartbox::State;
use smartbox_core::snapshot::record::Why;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::view::{is_late, since};
use crate::control::Control;
use crate::error::ControlError;
use crate::issues::Cause;

/// The longest and the shortest time between two rounds.
const ROUND: Duration = Duration::from_secs(5);
const SHORTEST: Duration = Duration::from_millis(500);
/// How soon a look that went wrong is tried again, at the least.
const AGAIN: Duration = Duration::from_secs(30);
/// How often one looks for what is due once a day or less.
const CHORES: Duration = Duration::from_hours(1);

/// What one round knows of a box.
struct Watched {
    objective: Duration,
    /// When it was looked at last, and how it was then.
    looked: Option<(Instant, State)>,
    /// Not before this.
    not_before: Option<Instant>,
    /// It waits for its turn, or is being looked at.
    queued: bool,
}

/// What came of a look.
struct Looked {
    id: SmartboxId,
    state: State,
    began: Instant,
    objective: Duration,
    went_well: bool,
}

impl Watched {
    /// Half of the objective is for the look, the other half for what it leads to.
    fn pause(&self) -> Duration {
        (self.objective / 2).max(SHORTEST)
    }

    /// When it is to be looked at next; never if it rests and was looked at since it does.
    fn due(&self, state: State, now: Instant) -> Option<Instant> {
        if self.queued {
            return None;
        }
        let next = match (state, self.looked) {
            (State::Running, None) => now + self.pause(),
            (State::Running, Some((at, _))) => at + self.pause(),
            (State::Frozen | State::Stopped, Some((_, seen))) if seen == state => return None,
            (State::Frozen | State::Stopped, _) => now,
            (State::Starting | State::Failed, _) => return None,
        };
        Some(self.not_before.map_or(next, |not_before| next.max(not_before)))
    }
}

impl Control {
    /// Watches until the platform goes down.
    pub(crate) async fn watch_snapshots(self: Arc<Self>) {
        let draining = self.draining.clone();
        let _ = draining.run_until_cancelled(self.watch_all()).await;
    }

    async fn watch_all(self: &Arc<Self>) {
        let (tell, mut told) = mpsc::unbounded_channel::<Looked>();
        let mut watched: HashMap<SmartboxId, Watched> = HashMap::new();
        let mut chores = Instant::now() + CHORES;
        loop {
            let wait = self.round(&mut watched, &tell);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                Some(looked) = told.recv() => note(&mut watched, &looked),
            }
            if Instant::now() >= chores {
                chores = Instant::now() + CHORES;
                self.do_chores().await;
            }
        }
    }

    /// Begins what is due, the longest waiting first. Returns how long to wait.
    fn round(
        self: &Arc<Self>,
        watched: &mut HashMap<SmartboxId, Watched>,
        tell: &mpsc::UnboundedSender<Looked>,
    ) -> Duration {
        let now = Instant::now();
        let states: HashMap<_, _> =
            self.keepers().iter().map(|(id, keeper)| (id.clone(), keeper.state())).collect();
        watched.retain(|id, _| states.contains_key(id));
        let mut next = now + ROUND;
        let mut due = Vec::new();
        for (id, state) in states {
            let objective = self.parts.settings.snapshots.objective;
            let new = || Watched { objective, looked: None, not_before: None, queued: false };
            let of = watched.entry(id.clone()).or_insert_with(new);
            if state == State::Running && of.looked.is_none_or(|(_, seen)| seen != state) {
                // It has just begun to run: its changes are as old as that.
                of.looked = Some((now, state));
                if !self.archiving.is_scratch(&id) {
                    self.archiving.saw(&id, self.parts.clock.now(), of.objective);
                }
            }
            match of.due(state, now) {
                Some(at) if at <= now => due.push((of.looked.map(|(at, _)| at), id, state)),
                Some(at) => next = next.min(at),
                None => {}
            }
        }
        due.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        for (_, id, state) in due {
            if let Some(of) = watched.get_mut(&id) {
                of.queued = true;
            }
            self.look_later(id, state, tell.clone());
        }
        next.saturating_duration_since(now).max(SHORTEST)
    }

    fn look_later(
        self: &Arc<Self>,
        id: SmartboxId,
        state: State,
        tell: mpsc::UnboundedSender<Looked>,
    ) {
        let control = self.clone();
        self.tasks.spawn(async move {
            let look = async {
                let Ok(_turn) = control.archiving.turns.acquire().await else { return };
                let began = Instant::now();
                let looked = control.look_at_snapshots(&id, state).await;
                let went_well = looked.is_ok();
                let objective = looked.unwrap_or(control.parts.settings.snapshots.objective);
                // An error means that nobody watches any more.
                let _ = tell.send(Looked { id, state, began, objective, went_well });
            };
            let _ = control.draining.run_until_cancelled(look).await;
        });
    }

    /// Takes a snapshot if something has changed. Returns the box's objective.
    async fn look_at_snapshots(
        self: &Arc<Self>,
        id: &SmartboxId,
        state: State,
    ) -> Result<Duration, ControlError> {
        let settings = &self.parts.settings.snapshots;
        let held = match self.held(id).await {
            // It was removed meanwhile.
            Err(ControlError::Missing { .. }) => return Ok(settings.objective),
            held => held?,
        };
        let objective = held.archive.objective.unwrap_or(settings.objective);
        let Some(row) = held.row.as_ref().filter(|row| !row.removing) else { return Ok(objective) };
        // At rest it was taken care of when it was stopped, unless that went wrong.
        let settled = state == State::Stopped && held.archive.trouble.is_none();
        if settled || self.archiving.is_scratch(id) || self.archiving.stands_still(id) {
            return Ok(objective);
        }
        let taken = self.take_snapshot(id, Why::Change, None).await;
        let held = self.held(id).await?;
        self.archiving.saw(id, since(row, self.fresh(&held)), objective);
        if is_late(row, self.fresh(&held), objective, self.parts.clock.now()) {
            self.raise(Cause {
                kind: Kind::SnapshotLate,
                account: Some(row.account.clone()),
                smartbox: Some(id.clone()),
                about: String::new(),
                message: match &held.archive.trouble {
                    Some(trouble) => {
                        format!("{}: its snapshots are late: {}.", row.name, trouble.message)
                    }
                    None => format!("{}: its snapshots are late.", row.name),
                },
                hint: "See to the storage of snapshots, or choose a longer objective.".into(),
            })
            .await;
        } else {
            self.settle_issues(id, &[Kind::SnapshotLate]).await;
        }
        taken.map(|_| objective)
    }

    /// What is due once a day or less.
    async fn do_chores(self: &Arc<Self>) {
        if let Err(error) = self.sweep_tombstones().await {
            tracing::warn!(%error, "sweeping the snapshots of removed smartboxes");
        }
        if let Err(error) = self.prune_all().await {
            tracing::warn!(%error, "pruning snapshots");
        }
        if let Err(error) = self.drill_one().await {
            tracing::warn!(%error, "beginning a restore drill");
        }
    }
}

fn note(watched: &mut HashMap<SmartboxId, Watched>, looked: &Looked) {
    let Some(of) = watched.get_mut(&looked.id) else { return };
    of.queued = false;
    of.objective = looked.objective;
    if looked.went_well {
        of.looked = Some((looked.began, looked.state));
        of.not_before = None;
    } else {
        of.not_before = Some(Instant::now() + of.pause().max(AGAIN));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_running_box_is_looked_at_within_its_objective_and_a_resting_one_once() {
        let now = Instant::now();
        let objective = Duration::from_secs(60);
        let new = |looked| Watched { objective, looked, not_before: None, queued: false };
        let half = now + objective / 2;
        assert_eq!(new(Some((now, State::Running))).due(State::Running, now), Some(half));
        assert_eq!(new(Some((now, State::Running))).due(State::Frozen, now), Some(now));
        assert_eq!(new(Some((now, State::Frozen))).due(State::Frozen, now), None);
        assert_eq!(new(Some((now, State::Frozen))).due(State::Stopped, now), Some(now));
        assert_eq!(new(None).due(State::Starting, now), None);
        let queued = Watched { queued: true, ..new(None) };
        assert_eq!(queued.due(State::Frozen, now), None, "one look at a time");
    }
}
