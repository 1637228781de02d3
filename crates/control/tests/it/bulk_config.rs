//! A patch over many configurations: each box is patched once, whatever dies meanwhile, and nobody is
//! shown what the patch holds.

use std::time::Duration;

use serde_json::{Value, json};
use smartbox_control::jobs::{NewBulk, Pace};
use smartbox_control::{ControlError, How, Terms};
use smartbox_core::config::Taken;
use smartbox_core::id::SmartboxId;
use smartbox_core::job::{Item, Job, JobState, Outcome};
use smartbox_core::smartbox::{Desired, Smartbox, State};
use smartbox_core::store;
use smartbox_runtime::sim::Call;

use crate::world::{World, actor};

const LONG: Duration = Duration::from_secs(100_000);
const CANARY: &str = "sk-canary-0123456789";

struct Fleet {
    world: World,
    rows: Vec<Smartbox>,
}

impl Fleet {
    /// Boxes that never ran.
    async fn asleep(n: usize) -> Self {
        let world = World::new().await;
        let mut rows = Vec::new();
        for n in 0..n {
            let row = world.new_box(&format!("b{n}"), Desired::Off).await;
            rows.push(world.settle(&row.id, State::Stopped).await);
        }
        Self { world, rows }
    }

    async fn one_running() -> Self {
        let world = World::new().await;
        let row = world.new_box("b0", Desired::On).await;
        let row = world.settle(&row.id, State::Running).await;
        Self { world, rows: vec![row] }
    }

    async fn patch(&self, pace: Pace, patch: Value) -> Job {
        self.try_patch(pace, patch).await.unwrap()
    }

    async fn try_patch(&self, pace: Pace, patch: Value) -> Result<Job, ControlError> {
        let new = NewBulk { boxes: self.rows.clone(), pace };
        let account = &self.rows[0].account;
        self.world.control.bulk_config(&actor(), account, new, &patch).await
    }

    async fn over(&self, job: &Job) -> (Job, Vec<Item>) {
        let job = self.world.control.job_over(&job.id, LONG).await.unwrap();
        (job.clone(), self.items(&job).await)
    }

    async fn items(&self, job: &Job) -> Vec<Item> {
        self.world.control.job_items(&job.id).await.unwrap()
    }

    async fn owner(&self, id: &SmartboxId) -> Value {
        self.world.control.config(id).await.unwrap().owner
    }

    /// How each revision of a box came to be, oldest first.
    async fn told(&self, id: &SmartboxId) -> Vec<String> {
        let history = self.world.control.config_history(id, None, 100).await.unwrap();
        history.into_iter().rev().map(|revision| revision.how).collect()
    }

    async fn change(&self, id: &SmartboxId, how: How) {
        let terms = Terms::default();
        self.world.control.change_config(&actor(), id, &how, &terms).await.unwrap();
    }

    /// Waits until the job has made a revision of a box.
    async fn until_revisions(&self, id: &SmartboxId, n: usize) {
        while self.told(id).await.len() < n {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn outcomes(items: &[Item]) -> Vec<Outcome> {
    items.iter().map(|item| item.outcome).collect()
}

fn not_yet(script: &crate::engine::Script) {
    script.will().takes = (0..100_000).map(|_| Ok(Taken::NotYet)).collect();
}

#[tokio::test(start_paused = true)]
async fn each_box_is_patched_and_says_what_came_of_it_and_nobody_is_woken() {
    let fleet = Fleet::asleep(4).await;
    let id = |n: usize| &fleet.rows[n].id;
    fleet.world.write(id(1), "config", "{ no configuration").await;
    fleet.change(id(2), How::Patch(json!({"n": 1}))).await;
    fleet.world.control.remove(&actor(), id(3)).await.unwrap();
    let gone = fleet.world.control.settle(id(3), &[], LONG).await;
    assert!(matches!(gone, Err(ControlError::Missing { .. })));
    let job = fleet.patch(Pace::default(), json!({"n": 1})).await;
    let (job, items) = fleet.over(&job).await;
    assert_eq!(job.state, JobState::Succeeded);
    assert_eq!(job.result.unwrap(), json!({"ok": 2, "failed": 1, "skipped": 1}));
    assert_eq!(outcomes(&items), [Outcome::Ok, Outcome::Failed, Outcome::Ok, Outcome::Skipped]);
    assert_eq!(items[0].reason, "revision 1, in force at the next start");
    assert!(items[1].reason.starts_with("refused: there is nothing to patch"), "{:?}", items[1]);
    assert_eq!((&*items[2].reason, &*items[3].reason), ("nothing differs", "it is gone"));
    assert_eq!(fleet.owner(id(0)).await, json!({"n": 1}));
    assert_eq!(fleet.world.sim.faults().calls(Call::Start), 0, "nobody was woken");
}

#[tokio::test(start_paused = true)]
async fn what_the_schema_does_not_allow_is_no_boxs() {
    let fleet = Fleet::asleep(3).await;
    let pace = Pace { stop_on_failure: true, concurrency: 1, ..Pace::default() };
    let job = fleet.patch(pace, json!({"bad": CANARY})).await;
    let (job, items) = fleet.over(&job).await;
    assert_eq!(job.failure.unwrap().code, "stopped-on-failure");
    assert_eq!(outcomes(&items), [Outcome::Failed, Outcome::Skipped, Outcome::Skipped]);
    assert!(items[0].reason.starts_with("invalid-config: "), "{:?}", items[0]);
    assert_eq!(fleet.owner(&fleet.rows[0].id).await, json!({}));
    for bad in [json!([1]), json!("x"), json!({"a": "x".repeat(600_000)})] {
        let refused = fleet.try_patch(Pace::default(), bad).await;
        assert!(matches!(refused, Err(ControlError::Refused { .. })), "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_what_would_become_of_each_and_changes_nothing() {
    let fleet = Fleet::asleep(3).await;
    let id = |n: usize| &fleet.rows[n].id;
    fleet.world.write(id(1), "config", "[]").await;
    fleet.change(id(2), How::Patch(json!({"secret": {"key": CANARY}}))).await;
    let patch = json!({"bad": 1, "secret": {"key": CANARY}, "platform": {"token": "mine"}});
    let (control, rows) = (&fleet.world.control, fleet.rows.clone());
    let plan = control.plan_config(&actor(), rows, patch).await.unwrap();
    assert_eq!(plan[0].changes, ["bad", "secret"]);
    assert_eq!((plan[0].faults.len(), plan[0].overridden.len()), (1, 1));
    assert!(plan[1].refused.as_deref().is_some_and(|why| why.starts_with("refused: ")));
    assert_eq!(plan[2].changes, ["bad"]);
    assert!(!format!("{plan:?}").contains(CANARY), "{plan:?}");
    assert!(fleet.told(id(0)).await.is_empty());
    assert!(fleet.world.sim.file(id(0), "config").is_none());
}

#[tokio::test(start_paused = true)]
async fn nothing_but_the_sealed_input_knows_what_the_patch_holds() {
    let fleet = Fleet::asleep(2).await;
    let patch = json!({"env": {"API_KEY": CANARY}, "list": [CANARY]});
    let pace = Pace { delay_ms: 60_000, ..Pace::default() };
    let job = fleet.patch(pace, patch.clone()).await;
    assert_eq!(job.input["keys"], json!(["env.API_KEY", "list"]));
    let sealed = |id| {
        store::read(&*fleet.world.store, |tx| Box::pin(async move { tx.jobs().unseal(id).await }))
    };
    let held = sealed(job.id.clone()).await.unwrap().expect("the job is not over");
    assert_eq!(serde_json::from_str::<Value>(held.expose()).unwrap(), patch);
    let (job, items) = fleet.over(&job).await;
    assert_eq!(fleet.owner(&fleet.rows[1].id).await, patch, "it was patched");
    assert!(sealed(job.id.clone()).await.unwrap().is_none(), "and then forgotten");
    let id = job.id.clone();
    let events = store::read(&*fleet.world.store, |tx| {
        Box::pin(async move { tx.jobs().events(id, 0, 1000).await })
    });
    let events = events.await.unwrap();
    for text in [format!("{job:?}"), format!("{items:?}"), format!("{events:?}")] {
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn killed_in_the_middle_of_fifty_each_is_patched_once() {
    let mut fleet = Fleet::asleep(50).await;
    let pace = Pace { delay_ms: 2000, concurrency: 3, ..Pace::default() };
    let job = fleet.patch(pace, json!({"n": {"m": 1}})).await;
    for n in 1..=3u32 {
        tokio::time::sleep(Duration::from_millis(25_500)).await;
        fleet.world.kill_and_open().await;
        let items = fleet.items(&job).await;
        for (item, row) in items.iter().zip(&fleet.rows) {
            let made = fleet.told(&row.id).await.len();
            assert!(item.outcome != Outcome::Ok || made == 1, "{item:?}");
        }
        let done = outcomes(&items).iter().filter(|o| **o == Outcome::Ok).count();
        assert!((5..50).contains(&done), "{done} are said to be done after kill {n}");
    }
    let (job, items) = fleet.over(&job).await;
    assert_eq!((job.state, job.interruptions), (JobState::Succeeded, 3));
    assert!(items.iter().all(|item| item.outcome == Outcome::Ok));
    for row in &fleet.rows {
        assert_eq!(fleet.told(&row.id).await, ["patched"], "once, and once only");
        assert_eq!(fleet.owner(&row.id).await, json!({"n": {"m": 1}}));
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_owner_did_after_the_patch_is_not_undone_by_the_run_that_follows() {
    let mut fleet = Fleet::one_running().await;
    let id = fleet.rows[0].id.clone();
    fleet.change(&id, How::Patch(json!({"n": "theirs"}))).await;
    // The engine takes its time: the job has written the patch and is not done with the box.
    not_yet(&fleet.world.script);
    let job = fleet.patch(Pace::default(), json!({"n": "patched"})).await;
    fleet.until_revisions(&id, 2).await;
    assert_eq!(fleet.items(&job).await[0].outcome, Outcome::Running);
    // Meanwhile the owner wants back what was there: the document is again the one before the patch.
    let (control, of) = (fleet.world.control.clone(), id.clone());
    let back = tokio::spawn(async move {
        let how = How::Roll { back_to: 1 };
        control.change_config(&actor(), &of, &how, &Terms::default()).await
    });
    fleet.until_revisions(&id, 3).await;
    assert_eq!(fleet.items(&job).await[0].outcome, Outcome::Running);
    fleet.world.kill_and_open().await;
    back.abort();
    fleet.world.script.will().takes.clear();
    let (job, items) = fleet.over(&job).await;
    assert_eq!((job.state, job.interruptions), (JobState::Succeeded, 1));
    assert_eq!(
        (items[0].outcome, &*items[0].reason),
        (Outcome::Ok, "revision 2, made before this run")
    );
    assert_eq!(fleet.owner(&id).await, json!({"n": "theirs"}));
    assert_eq!(fleet.told(&id).await, ["patched", "patched", "rolled back to 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_box_that_changed_between_mark_and_patch_is_marked_anew() {
    let fleet = Fleet::asleep(2).await;
    let id = &fleet.rows[1].id;
    let pace = Pace { delay_ms: 10_000, concurrency: 1, ..Pace::default() };
    let job = fleet.patch(pace, json!({"n": 2})).await;
    fleet.until_revisions(&fleet.rows[0].id, 1).await;
    fleet.world.control.pause_job(&actor(), &job.id).await.unwrap();
    while fleet.world.control.job(&job.id).await.unwrap().state != JobState::Paused {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // As a run leaves it that was killed after its mark and before its patch.
    let mut item = fleet.items(&job).await.remove(1);
    item.outcome = Outcome::Running;
    let before = fleet.world.control.config(id).await.unwrap().digest;
    item.checkpoint = json!({"revision": 0, "before": before, "after": "d".repeat(64)});
    let of = job.id.clone();
    let write = store::write(&*fleet.world.store, |tx| {
        Box::pin(async move { tx.jobs().put_items(of, vec![item]).await })
    });
    write.await.unwrap();
    fleet.change(id, How::Patch(json!({"theirs": true}))).await;
    fleet.world.control.resume_job(&actor(), &job.id).await.unwrap();
    let (_, items) = fleet.over(&job).await;
    assert_eq!(outcomes(&items), [Outcome::Ok, Outcome::Ok]);
    assert_eq!(fleet.owner(id).await, json!({"n": 2, "theirs": true}));
}

#[tokio::test(start_paused = true)]
async fn paused_it_waits_and_aborted_it_says_what_was_not_done() {
    let fleet = Fleet::asleep(10).await;
    let pace = Pace { delay_ms: 10_000, concurrency: 2, ..Pace::default() };
    let job = fleet.patch(pace, json!({"n": 1})).await;
    tokio::time::sleep(Duration::from_millis(25_500)).await;
    fleet.world.control.pause_job(&actor(), &job.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1000)).await;
    assert_eq!(fleet.world.control.job(&job.id).await.unwrap().state, JobState::Paused);
    let done = |items: &[Item]| items.iter().filter(|item| item.outcome == Outcome::Ok).count();
    assert_eq!(done(&fleet.items(&job).await), 3);
    fleet.world.control.resume_job(&actor(), &job.id).await.unwrap();
    tokio::time::sleep(Duration::from_millis(25_500)).await;
    fleet.world.control.cancel_job(&actor(), &job.id).await.unwrap();
    let (job, items) = fleet.over(&job).await;
    assert_eq!((job.state, done(&items)), (JobState::Cancelled, 6));
    for (item, row) in items.iter().zip(&fleet.rows) {
        let patched = fleet.owner(&row.id).await == json!({"n": 1});
        assert_eq!(patched, item.outcome == Outcome::Ok, "{item:?}");
    }
}
