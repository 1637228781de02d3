//! Bulks: each box has its outcome, whatever dies meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use smartbox_control::ControlError;
use smartbox_control::jobs::{NewBulk, Pace};
use smartbox_core::id::SmartboxId;
use smartbox_core::job::{Item, Job, JobState, Outcome};
use smartbox_core::smartbox::{Desired, Rest, Smartbox, State};
use smartbox_runtime::sim::Call;

use crate::world::{World, actor};

const LONG: Duration = Duration::from_secs(100_000);

struct Fleet {
    world: World,
    rows: Vec<Smartbox>,
}

impl Fleet {
    async fn running(n: usize) -> Self {
        let world = World::new().await;
        let mut rows = Vec::new();
        for n in 0..n {
            let row = world.new_box(&format!("b{n}"), Desired::On).await;
            rows.push(world.settle(&row.id, State::Running).await);
        }
        Self { world, rows }
    }

    async fn restart(&self, pace: Pace) -> Job {
        let account = self.rows[0].account.clone();
        let new = NewBulk { boxes: self.rows.clone(), pace };
        self.world.control.bulk_restart(&actor(), &account, new).await.unwrap()
    }

    async fn over(&self, job: &Job) -> (Job, Vec<Item>) {
        let job = self.world.control.job_over(&job.id, LONG).await.unwrap();
        (job.clone(), self.items(&job).await)
    }

    async fn items(&self, job: &Job) -> Vec<Item> {
        self.world.control.job_items(&job.id).await.unwrap()
    }

    /// How often each was started since it was made ready for the test.
    async fn starts(&self) -> Vec<u64> {
        let mut starts = Vec::new();
        for row in &self.rows {
            let now = self.world.control.view(&row.id).await.unwrap().row;
            starts.push(now.epoch - row.epoch);
        }
        starts
    }
}

fn outcomes(items: &[Item]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item.outcome.as_str()).or_default() += 1;
    }
    counts
}

async fn secs(n: u64) {
    tokio::time::sleep(Duration::from_millis(n * 1000 + 500)).await;
}

#[tokio::test(start_paused = true)]
async fn killed_in_the_middle_of_fifty_it_says_which_are_done_and_does_the_rest_once() {
    let mut fleet = Fleet::running(50).await;
    let pace = Pace { delay_ms: 2000, concurrency: 3, ..Pace::default() };
    let job = fleet.restart(pace).await;
    for _ in 0..3 {
        secs(25).await;
        fleet.world.kill_and_open().await;
        // It goes on while it is looked at: what is said is compared with before and after.
        let before = fleet.starts().await;
        let items = fleet.items(&job).await;
        let after = fleet.starts().await;
        let done = outcomes(&items)["ok"];
        assert!((5..50).contains(&done), "{done} are said to be done");
        for (n, item) in items.iter().enumerate() {
            assert!(item.outcome != Outcome::Ok || after[n] == 1, "{item:?}");
            assert!(item.outcome != Outcome::Waiting || before[n] == 0, "{item:?}");
        }
    }
    let (job, items) = fleet.over(&job).await;
    assert_eq!((job.state, job.interruptions), (JobState::Succeeded, 3));
    assert_eq!(job.result.unwrap()["ok"], 50);
    assert_eq!((job.progress.done, job.progress.total), (50, Some(50)));
    assert_eq!(outcomes(&items)["ok"], 50);
    assert_eq!(fleet.starts().await, vec![1; 50], "each once, and once only");
}

#[tokio::test(start_paused = true)]
async fn a_failure_does_not_stop_the_rest_unless_that_is_asked_for() {
    for stop_on_failure in [false, true] {
        let fleet = Fleet::running(6).await;
        fleet.world.sim.faults().fail(Call::Start, 1);
        let pace = Pace { concurrency: 1, stop_on_failure, ..Pace::default() };
        let job = fleet.restart(pace).await;
        let (job, items) = fleet.over(&job).await;
        assert_eq!(items[0].outcome, Outcome::Failed);
        assert!(items[0].reason.starts_with("failed: "), "{}", items[0].reason);
        if stop_on_failure {
            assert_eq!(job.failure.unwrap().code, "stopped-on-failure");
            assert_eq!(outcomes(&items)["skipped"], 5);
        } else {
            assert_eq!(job.state, JobState::Succeeded);
            assert_eq!(job.result.unwrap()["failed"], 1);
            assert_eq!(outcomes(&items)["ok"], 5);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_paused_between_boxes_and_goes_on() {
    let fleet = Fleet::running(10).await;
    let pace = Pace { delay_ms: 10_000, concurrency: 2, ..Pace::default() };
    let job = fleet.restart(pace).await;
    secs(25).await;
    fleet.world.control.pause_job(&actor(), &job.id).await.unwrap();
    secs(1000).await;
    let now = fleet.world.control.job(&job.id).await.unwrap();
    assert_eq!(now.state, JobState::Paused);
    let items = fleet.items(&job).await;
    assert_eq!(outcomes(&items), [("ok", 3), ("waiting", 7)].into());
    fleet.world.control.resume_job(&actor(), &job.id).await.unwrap();
    let (job, _) = fleet.over(&job).await;
    assert_eq!(job.state, JobState::Succeeded);
    assert_eq!(fleet.starts().await, vec![1; 10]);
}

#[tokio::test(start_paused = true)]
async fn aborted_it_says_what_was_not_done() {
    let fleet = Fleet::running(5).await;
    fleet.world.script.will().busy = true;
    let job = fleet.restart(Pace { concurrency: 2, ..Pace::default() }).await;
    secs(5).await;
    fleet.world.control.cancel_job(&actor(), &job.id).await.unwrap();
    let (job, items) = fleet.over(&job).await;
    assert_eq!(job.state, JobState::Cancelled);
    assert_eq!(outcomes(&items), [("failed", 2), ("skipped", 3)].into());
    assert_eq!(job.result.unwrap()["skipped"], 3);
    assert!(items.iter().all(|item| item.reason.starts_with("cancelled before")));
}

#[tokio::test(start_paused = true)]
async fn what_is_off_stopped_or_gone_is_skipped_and_a_plan_says_so_before() {
    let fleet = Fleet::running(4).await;
    let id = |n: usize| -> &SmartboxId { &fleet.rows[n].id };
    let control = &fleet.world.control;
    control.stop(&actor(), id(0)).await.unwrap();
    control.sleep(&actor(), id(1), Rest::Stopped).await.unwrap();
    control.remove(&actor(), id(2)).await.unwrap();
    fleet.world.settle(id(0), State::Stopped).await;
    fleet.world.settle(id(1), State::Stopped).await;
    let gone = control.settle(id(2), &[], LONG).await;
    assert!(matches!(gone, Err(ControlError::Missing { .. })));
    let rows = control.list(&fleet.rows[0].account).await.unwrap();
    let plan: Vec<_> = control.plan_restart(rows).into_iter().map(|p| p.skip.is_some()).collect();
    assert_eq!(plan, [true, true, false]);
    let job = fleet.restart(Pace::default()).await;
    let (job, items) = fleet.over(&job).await;
    assert_eq!(job.state, JobState::Succeeded);
    let said: Vec<_> = items.iter().map(|item| item.reason.as_str()).collect();
    let stopped = "it is stopped: its next start is a fresh one";
    assert_eq!(said, ["it is turned off", stopped, "it is gone", ""]);
    let now = control.view(id(1)).await.unwrap().row;
    assert_eq!(now.state, State::Stopped, "nobody was woken for it");
}

#[tokio::test(start_paused = true)]
async fn too_much_at_once_is_refused() {
    let fleet = Fleet::running(1).await;
    let account = fleet.rows[0].account.clone();
    let many = vec![fleet.rows[0].clone(); 5001];
    for (boxes, pace) in [
        (vec![], Pace::default()),
        (many, Pace::default()),
        (fleet.rows.clone(), Pace { concurrency: 0, ..Pace::default() }),
        (fleet.rows.clone(), Pace { concurrency: 51, ..Pace::default() }),
        (fleet.rows.clone(), Pace { delay_ms: u64::MAX, ..Pace::default() }),
    ] {
        let new = NewBulk { boxes, pace };
        let refused = fleet.world.control.bulk_restart(&actor(), &account, new).await;
        assert!(matches!(refused, Err(ControlError::Refused { .. })), "{refused:?}");
    }
}
