//! Jobs: they end as they should, one way or the other, whatever dies.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use smartbox_control::{ControlError, NewJob};
use smartbox_core::id::SmartboxId;
use smartbox_core::job::port::Filter;
use smartbox_core::job::{Event, Happening, INTERRUPTED, Job, JobState};
use smartbox_core::sandbox::port::Runtime;
use smartbox_core::smartbox::{Desired, State};
use smartbox_runtime::sim::Call;
use smartbox_store::memory::{Fault, Moment};

use crate::world::{World, actor};

const LONG: Duration = Duration::from_secs(100_000);

impl World {
    async fn job(&self, kind: &'static str, input: Value) -> Job {
        self.job_of(None, kind, input).await
    }

    async fn job_of(&self, of: Option<&SmartboxId>, kind: &'static str, input: Value) -> Job {
        let account = self.control.ensure_account("me").await.unwrap().id;
        let new = NewJob::new(kind, of.cloned(), input);
        self.control.submit(&actor(), &account, new).await.unwrap()
    }

    async fn over(&self, job: &Job) -> Job {
        self.control.job_over(&job.id, LONG).await.unwrap()
    }

    async fn now(&self, job: &Job) -> Job {
        self.control.job(&job.id).await.unwrap()
    }

    async fn events(&self, job: &Job, after: u64) -> Vec<Event> {
        self.control.follow_job(&job.id, after).collect().await
    }
}

async fn secs(n: u64) {
    // Past the moment at which something ends, not at it.
    tokio::time::sleep(Duration::from_millis(n * 1000 + 500)).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_is_done_and_tells_its_whole_story_to_whoever_comes_when() {
    let world = World::new().await;
    let job = world.job("test.count", json!({"name": "a", "to": 3})).await;
    assert_eq!(job.state, JobState::Queued);
    let live = tokio::spawn(world.control.follow_job(&job.id, 0).collect::<Vec<_>>());
    let done = world.over(&job).await;
    assert_eq!((done.state, done.result), (JobState::Succeeded, Some(json!({"counted": 3}))));
    assert_eq!((done.progress.done, done.progress.total), (3, Some(3)));
    let live = live.await.unwrap();
    let late = world.events(&job, 0).await;
    for events in [&live, &late] {
        let lines: Vec<_> = events
            .iter()
            .filter_map(|e| match &e.what {
                Happening::Log { text } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(lines, ["step 0", "step 1", "step 2"]);
        let last = Happening::State { state: JobState::Succeeded };
        assert_eq!(events.last().map(|e| &e.what), Some(&last));
        assert!(events.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    }
    let middle = late[late.len() / 2].seq;
    let rest = world.events(&job, middle).await;
    assert_eq!(rest, late[late.len() / 2 + 1..], "from where it was left");
}

#[tokio::test(start_paused = true)]
async fn the_next_control_plane_goes_on_where_the_killed_one_was() {
    let mut world = World::new().await;
    let job = world.job("test.count", json!({"name": "a", "to": 10})).await;
    let paused = world.job("test.count", json!({"name": "p", "to": 10})).await;
    secs(2).await;
    world.control.pause_job(&actor(), &paused.id).await.unwrap();
    let follower = tokio::spawn(world.control.follow_job(&job.id, 0).collect::<Vec<_>>());
    secs(2).await;
    world.kill_and_open().await;
    let before = follower.await.unwrap();
    let done = world.over(&job).await;
    assert_eq!((done.state, done.attempts, done.interruptions), (JobState::Succeeded, 2, 1));
    assert_eq!(world.steps.of("a"), (0..10).collect::<Vec<_>>(), "nothing lost, nothing twice");
    let after = world.events(&job, before.last().unwrap().seq).await;
    let lines = |events: &[Event]| {
        events.iter().filter(|e| matches!(e.what, Happening::Log { .. })).count()
    };
    assert_eq!(lines(&before) + lines(&after), 10, "a follower goes on by the last number");
    assert_eq!(world.now(&paused).await.state, JobState::Paused, "a pause outlives the platform");
    world.control.resume_job(&actor(), &paused.id).await.unwrap();
    assert_eq!(world.over(&paused).await.state, JobState::Succeeded);
    assert_eq!(world.steps.of("p"), (0..10).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_cannot_go_on_says_that_it_was_interrupted() {
    let mut world = World::new().await;
    let job = world.job("test.whole", json!({"to": 10})).await;
    let waiting = world.job("test.whole", json!({"to": 1})).await;
    secs(2).await;
    world.kill_and_open().await;
    let done = world.over(&job).await;
    assert_eq!(done.failure.unwrap().code, INTERRUPTED);
    assert_eq!(world.events(&job, 0).await.last().unwrap().what.word(), "state");
    assert_eq!(world.over(&waiting).await.state, JobState::Succeeded, "it had not begun");
}

#[tokio::test(start_paused = true)]
async fn a_job_is_cancelled_promptly_even_if_it_does_not_listen() {
    let mut world = World::new().await;
    let listens = world.job("test.count", json!({"to": 1000})).await;
    let deaf = world.job("test.count", json!({"how": "deaf"})).await;
    secs(1).await;
    let began = tokio::time::Instant::now();
    for (job, within) in [(&listens, 1), (&deaf, 11)] {
        let asked = world.control.cancel_job(&actor(), &job.id).await.unwrap();
        assert_eq!(asked.state, JobState::Running);
        assert_eq!(world.over(job).await.state, JobState::Cancelled);
        assert!(began.elapsed() <= Duration::from_secs(within), "{:?}", began.elapsed());
    }
    let again = world.control.cancel_job(&actor(), &deaf.id).await;
    assert!(matches!(again, Err(ControlError::NotNow { .. })), "{again:?}");
    // Asked to, and killed before it could.
    let job = world.job("test.count", json!({"how": "deaf"})).await;
    secs(1).await;
    world.control.cancel_job(&actor(), &job.id).await.unwrap();
    world.kill_and_open().await;
    assert_eq!(world.over(&job).await.state, JobState::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_paused_job_goes_on_from_where_it_was() {
    let world = World::new().await;
    let job = world.job("test.count", json!({"name": "a", "to": 4})).await;
    secs(2).await;
    for _ in 0..3 {
        world.control.pause_job(&actor(), &job.id).await.unwrap();
        secs(100).await;
        assert_eq!(world.now(&job).await.state, JobState::Paused);
        world.control.resume_job(&actor(), &job.id).await.unwrap();
        // Before the run that was told to stop has had time to.
        world.control.pause_job(&actor(), &job.id).await.unwrap();
        world.control.resume_job(&actor(), &job.id).await.unwrap();
    }
    let done = world.over(&job).await;
    assert_eq!((done.state, done.interruptions), (JobState::Succeeded, 0));
    assert_eq!(world.steps.of("a"), [0, 1, 2, 3]);
    let whole = world.job("test.whole", json!({"to": 4})).await;
    secs(1).await;
    let refused = world.control.pause_job(&actor(), &whole.id).await;
    assert!(matches!(refused, Err(ControlError::NotNow { .. })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_panics_or_says_too_much_ends_and_says_why() {
    let world = World::new().await;
    for (how, code) in [("fail", "odd"), ("panic", "internal"), ("big", "internal")] {
        let job = world.job("test.count", json!({"how": how})).await;
        let done = world.over(&job).await;
        assert_eq!((done.state, done.failure.unwrap().code.as_str()), (JobState::Failed, code));
    }
    let job = world.job("test.count", json!({"to": 1})).await;
    assert_eq!(world.over(&job).await.state, JobState::Succeeded, "the others go on");
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_holds_a_job_up_and_does_not_end_it() {
    let world = World::new().await;
    let job = world.job("test.count", json!({"name": "a", "to": 5})).await;
    for nth in 2..9 {
        world.memory.fail_commit(nth, Moment::Before, Fault::Full);
    }
    assert_eq!(world.over(&job).await.state, JobState::Succeeded);
    assert_eq!(world.steps.of("a"), [0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn no_more_jobs_run_at_once_than_may() {
    let world = World::new().await;
    let pa = world.running("pa", Desired::On).await;
    let mut jobs = Vec::new();
    for _ in 0..6 {
        jobs.push(world.job_of(Some(&pa), "test.count", json!({"to": 5})).await);
    }
    for _ in 0..6 {
        jobs.push(world.job("test.count", json!({"to": 5})).await);
    }
    secs(1).await;
    let running = Filter { states: vec![JobState::Running], limit: 99, ..Filter::default() };
    let now = world.control.jobs(running.clone()).await.unwrap();
    let of_box = now.iter().filter(|job| job.smartbox.is_some()).count();
    assert_eq!((now.len(), of_box), (4, 2));
    for job in &jobs {
        assert_eq!(world.over(job).await.state, JobState::Succeeded);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_makes_two_requests_one_job() {
    let world = World::new().await;
    let account = world.control.ensure_account("me").await.unwrap().id;
    let by = actor();
    let ask = |to: u64| {
        let (key, input) = (Some("k".into()), json!({"to": to}));
        world.control.submit(
            &by,
            &account,
            NewJob { key, ..NewJob::new("test.count", None, input) },
        )
    };
    // At the same time, and again after its end.
    let (a, b) = tokio::join!(ask(1), ask(1));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(a.id, b.id);
    world.over(&a).await;
    assert_eq!(ask(1).await.unwrap().id, a.id);
    assert!(matches!(ask(2).await, Err(ControlError::Exists { .. })));
}

#[tokio::test(start_paused = true)]
async fn an_ended_job_is_forgotten_after_its_time_on_request_or_for_newer_ones() {
    let world = World::new().await;
    let pa = world.running("pa", Desired::On).await;
    let job = world.job("test.count", json!({"to": 1000})).await;
    let early = world.control.forget_job(&actor(), &job.id).await;
    assert!(matches!(early, Err(ControlError::NotNow { .. })));
    let mut jobs = Vec::new();
    for _ in 0..5 {
        let job = world.job_of(Some(&pa), "test.whole", json!({"to": 1})).await;
        world.over(&job).await;
        jobs.push(job.id);
    }
    let kept = Filter { smartbox: Some(pa), limit: 99, ..Filter::default() };
    let ids = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.id).collect::<Vec<_>>();
    let found = ids(world.control.jobs(kept.clone()).await.unwrap());
    assert_eq!(found, [jobs[4].clone(), jobs[3].clone(), jobs[2].clone()]);
    world.control.forget_job(&actor(), &jobs[4]).await.unwrap();
    assert!(matches!(world.control.job(&jobs[4]).await, Err(ControlError::Missing { .. })));
    secs(23 * 3600).await;
    assert_eq!(world.control.jobs(kept.clone()).await.unwrap().len(), 2);
    secs(2 * 3600).await;
    assert_eq!(ids(world.control.jobs(kept).await.unwrap()), []);
}

#[tokio::test(start_paused = true)]
async fn a_restart_as_a_job_happens_once_whatever_dies() {
    let mut world = World::new().await;
    let pa = world.running("pa", Desired::On).await;
    let before = world.control.view(&pa).await.unwrap().row;
    world.script.will().busy = true;
    let job = world.job_of(Some(&pa), "box.restart", Value::Null).await;
    secs(5).await;
    assert_eq!(world.now(&job).await.state, JobState::Running, "a turn gets its time");
    world.kill_and_open().await;
    world.script.will().busy = false;
    let done = world.over(&job).await;
    assert_eq!(done.state, JobState::Succeeded, "{:?}", done.failure);
    let after = world.control.view(&pa).await.unwrap();
    assert_eq!(after.row.restart, before.restart + 1);
    assert_eq!(after.row.epoch, before.epoch + 1);
    assert_eq!(after.row.state, State::Running);
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_cannot_be_is_a_job_that_failed() {
    let world = World::new().await;
    let pa = world.running("pa", Desired::On).await;
    world.sim.faults().fail(Call::Start, 1);
    let job = world.job_of(Some(&pa), "box.restart", Value::Null).await;
    assert_eq!(world.over(&job).await.failure.unwrap().code, "failed");
    secs(30).await;
    world.settle(&pa, State::Running).await;
    world.control.stop(&actor(), &pa).await.unwrap();
    world.settle(&pa, State::Stopped).await;
    let job = world.job_of(Some(&pa), "box.restart", Value::Null).await;
    let failure = world.over(&job).await.failure.unwrap();
    assert_eq!(failure.code, "off");
    assert!(failure.hint.contains("smartbox start pa"), "{}", failure.hint);
    // The box goes, and its jobs with it.
    let job = world.job_of(Some(&pa), "test.count", json!({"to": 1000})).await;
    secs(1).await;
    world.control.remove(&actor(), &pa).await.unwrap();
    let gone = world.control.settle(&pa, &[], LONG).await;
    assert!(matches!(gone, Err(ControlError::Missing { .. })));
    secs(5).await;
    assert!(matches!(world.control.job(&job.id).await, Err(ControlError::Missing { .. })));
    assert!(world.sim.observe(pa).await.is_ok());
}
