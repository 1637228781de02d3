//! Boxes that fail again and again, engines that do not answer, and the issues that come of it.

use std::time::Duration;

use smartbox_control::ControlError;
use smartbox_core::id::SmartboxId;
use smartbox_core::issue::{Filter, Issue, Kind};
use smartbox_core::machine::{HomeUse, Machine, Space};
use smartbox_core::route::port::{Resolve, WakeError};
use smartbox_core::sandbox::Phase;
use smartbox_core::sandbox::port::Runtime;
use smartbox_core::smartbox::breaker::LIMIT;
use smartbox_core::smartbox::{Desired, Reason, Rest, Smartbox, State};
use smartbox_core::store;
use smartbox_runtime::sim::Call;

use crate::world::{World, actor};

const WITHIN: Duration = Duration::from_secs(300);
/// More than the heartbeat of the world.
const A_LOOK: Duration = Duration::from_secs(12);

impl World {
    async fn row(&self, id: &SmartboxId) -> Smartbox {
        self.control.view(id).await.unwrap().row
    }

    async fn issues(&self, open: bool) -> Vec<Issue> {
        let filter = Filter { open: Some(open), ..Filter::default() };
        self.control.list_issues(filter, None, 99).await.unwrap()
    }

    async fn kinds(&self, open: bool) -> Vec<Kind> {
        self.issues(open).await.into_iter().map(|issue| issue.kind).collect()
    }

    async fn journal(&self, id: &SmartboxId) -> Vec<String> {
        let id = id.clone();
        let entries = store::read(&*self.store, |tx| {
            Box::pin(async move { tx.journal().read(id, 0, Default::default(), 999).await })
        })
        .await
        .unwrap();
        entries.into_iter().map(|(_, e)| format!("{}: {}", e.event, e.detail)).collect()
    }

    /// Kills the engine until the breaker opens; how often it took.
    async fn kill_loop(&self, id: &SmartboxId) -> usize {
        for kills in 1..=20 {
            self.sim.crash_engine(id);
            tokio::time::sleep(A_LOOK).await;
            if self.row(id).await.vitals.breaker.is_open() {
                return kills;
            }
        }
        panic!("twenty kills did not open the breaker");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kill_loop_opens_the_breaker_and_only_a_person_closes_it() {
    let mut world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    assert_eq!(world.kill_loop(&id).await, LIMIT);
    let row = world.row(&id).await;
    let failure = row.failure.unwrap();
    assert_eq!((row.state, failure.reason), (State::Failed, Reason::Crash));
    assert!(failure.hint.contains("smartbox reset pa"), "{}", failure.hint);
    assert_eq!(world.sim.observe(id.clone()).await.unwrap().phase, Phase::Absent);
    let starts = world.sim.faults().calls(Call::Start);
    tokio::time::sleep(Duration::from_hours(48)).await;
    world.kill_and_open().await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(world.sim.faults().calls(Call::Start), starts, "neither time nor a restart");
    for asked in [
        world.control.wake(&actor(), &id).await,
        world.control.restart(&actor(), &id).await,
        world.control.start(&actor(), &id, Desired::On).await,
    ] {
        assert!(matches!(asked, Err(ControlError::Tripped(_))), "{asked:?}");
    }
    let woken = Resolve::wake(&*world.control, id.clone(), WITHIN).await;
    assert!(matches!(woken, Err(WakeError::Failed(_))), "{woken:?}");
    assert_eq!(world.kinds(true).await, [Kind::BreakerOpen]);
    world.control.reset(&actor(), &id).await.unwrap();
    let row = world.settle(&id, State::Running).await;
    assert!(row.vitals.breaker.strikes.is_empty());
    assert!(world.kinds(true).await.is_empty(), "resolved with its cause");
}

#[tokio::test(start_paused = true)]
async fn a_box_that_is_killed_now_and_then_goes_on() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    for _ in 0..20 {
        world.sim.crash_engine(&id);
        tokio::time::sleep(Duration::from_secs(151)).await;
        let row = world.row(&id).await;
        assert_eq!(row.state, State::Running);
        assert!(!row.vitals.breaker.is_open());
    }
    let exit = world.row(&id).await.vitals.exit.unwrap();
    assert_eq!((exit.signal, exit.reason), (Some(9), Reason::Crash));
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_that_is_killed_again_and_again_opens_it_too() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    for _ in 0..LIMIT {
        world.sim.kill(&id);
        tokio::time::sleep(A_LOOK).await;
    }
    let row = world.row(&id).await;
    assert_eq!((row.state, row.vitals.breaker.is_open()), (State::Failed, true));
}

#[tokio::test(start_paused = true)]
async fn starts_that_fail_open_it_and_are_one_issue() {
    let world = World::new().await;
    world.sim.faults().fail(Call::Start, 1_000);
    let id = world.new_box("pa", Desired::On).await.id;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.kinds(true).await, [Kind::BoxFailed]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let starts = world.sim.faults().calls(Call::Start);
    assert_eq!(starts as usize, LIMIT, "then nobody tries any more");
    assert_eq!(world.row(&id).await.state, State::Failed);
    assert_eq!(world.kinds(true).await, [Kind::BreakerOpen], "the graver took its place");
    assert_eq!(world.kinds(false).await, [Kind::BoxFailed]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_answer_is_started_anew() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().deaf = true;
    let before = world.sim.faults().calls(Call::Start);
    tokio::time::timeout(WITHIN, async {
        while world.sim.faults().calls(Call::Start) == before {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await
    .expect("a restart");
    world.script.will().deaf = false;
    let row = world.settle(&id, State::Running).await;
    let strikes: Vec<_> = row.vitals.breaker.strikes.iter().map(|s| s.reason).collect();
    assert_eq!((row.epoch, strikes), (2, vec![Reason::Timeout]));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_stumbles_is_left_alone() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    for _ in 0..20 {
        world.script.will().deaf = true;
        tokio::time::sleep(Duration::from_secs(25)).await;
        world.script.will().deaf = false;
        tokio::time::sleep(Duration::from_secs(40)).await;
    }
    let row = world.row(&id).await;
    assert_eq!((row.epoch, row.state), (1, State::Running));
    assert!(world.script.asked("health") > 20, "it was probed");
}

#[tokio::test(start_paused = true)]
async fn a_box_that_sleeps_is_not_probed() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.control.sleep(&actor(), &id, Rest::Frozen).await.unwrap();
    world.settle(&id, State::Frozen).await;
    let asked = world.script.asked("health");
    tokio::time::sleep(Duration::from_hours(3)).await;
    assert_eq!(world.script.asked("health"), asked);
    assert_eq!(world.row(&id).await.state, State::Frozen);
}

#[tokio::test(start_paused = true)]
async fn a_wish_goes_before_a_probe_that_hangs() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().deaf = true;
    tokio::time::sleep(Duration::from_secs(31)).await;
    world.control.stop(&actor(), &id).await.unwrap();
    world.settle(&id, State::Stopped).await;
}

#[tokio::test(start_paused = true)]
async fn the_memory_limit_is_an_issue_until_it_was_quiet_for_long() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.sim.starve_engine(&id);
    tokio::time::sleep(A_LOOK).await;
    assert_eq!(world.row(&id).await.vitals.exit.unwrap().reason, Reason::OutOfMemory);
    assert_eq!(world.kinds(true).await, [Kind::MemoryLimit]);
    tokio::time::sleep(Duration::from_mins(30)).await;
    assert_eq!(world.kinds(true).await, [Kind::MemoryLimit]);
    tokio::time::sleep(Duration::from_mins(35)).await;
    assert!(world.kinds(true).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_full_home_explains_a_crash() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.sim.set_homes(HomeUse { used: 9 << 20, limit: 9 << 20 });
    world.sim.crash_engine(&id);
    tokio::time::sleep(Duration::from_secs(70)).await;
    let view = world.control.view(&id).await.unwrap();
    assert_eq!(view.row.vitals.exit.unwrap().reason, Reason::Quota);
    assert_eq!(view.issues.iter().map(|i| i.kind).collect::<Vec<_>>(), [Kind::HomeFull]);
    world.sim.set_homes(HomeUse { used: 1 << 20, limit: 9 << 20 });
    tokio::time::sleep(Duration::from_secs(70)).await;
    assert!(world.kinds(true).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_machine_s_issues_open_once_and_close_by_themselves() {
    let world = World::new().await;
    let space = |free: u64| Space { total: 100 << 30, free: free << 30 };
    let machine = |disk| Machine { disk: space(disk), memory: space(50), ..Machine::default() };
    for gib in [4, 6, 4, 6] {
        world.sim.set_machine(machine(gib));
        tokio::time::sleep(Duration::from_secs(61)).await;
    }
    let open = world.issues(true).await;
    assert_eq!(
        open.iter().map(|i| (i.kind, &i.account)).collect::<Vec<_>>(),
        [(Kind::DiskLow, &None)]
    );
    world.sim.set_machine(machine(20));
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert!(world.kinds(true).await.is_empty());
    assert_eq!(world.kinds(false).await.len(), 1, "what wavered was one issue");
}

#[tokio::test(start_paused = true)]
async fn the_journal_tells_what_happened_and_nothing_that_was_said() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let message = world.say(&id, "CANARY-of-the-message").await;
    world.answer(&message).await;
    world.control.sleep(&actor(), &id, Rest::Frozen).await.unwrap();
    world.settle(&id, State::Frozen).await;
    world.control.wake(&actor(), &id).await.unwrap();
    world.settle(&id, State::Running).await;
    let told = world.journal(&id).await;
    for line in [
        "start: number 1",
        "state: starting → running",
        "asked: box.sleep by test",
        "rest: frozen",
        "state: running → frozen",
        "asked: box.wake by test",
        "rest: over",
    ] {
        assert!(told.iter().any(|entry| entry == line), "{line} is missing from {told:#?}");
    }
    assert!(!told.iter().any(|entry| entry.contains("CANARY")), "{told:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_state_document_says_since_when_and_how_long() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let vitals = world.row(&id).await.vitals;
    assert!(vitals.since.is_some() && vitals.ready >= vitals.started && vitals.started.is_some());
    assert!(vitals.start_ms.is_some() && vitals.exit.is_none());
    let before = world.sim.faults().calls(Call::Start);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let view = world.control.view(&id).await.unwrap();
    assert_eq!(view.row.vitals.since, vitals.since, "it is in its state since then");
    assert!(view.limits.is_some() && view.home.is_some() && view.issues.is_empty());
    assert_eq!(world.sim.faults().calls(Call::Start), before);
}

#[tokio::test(start_paused = true)]
async fn issues_are_read_again_by_the_next_process_and_resolved_by_a_person() {
    let mut world = World::new().await;
    world.sim.faults().fail(Call::Start, 1);
    let id = world.new_box("pa", Desired::Auto).await.id;
    let _ = world.control.settle(&id, &[State::Running], WITHIN).await;
    let issue = world.issues(true).await.remove(0);
    let account = issue.account.clone().unwrap();
    let other = "acc_0000000000000000zzzz".parse().unwrap();
    let foreign = world.control.resolve_issue(&actor(), Some(&other), issue.id.clone()).await;
    assert!(matches!(foreign, Err(ControlError::Missing { .. })), "{foreign:?}");
    world.kill_and_open().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.settle(&id, State::Running).await;
    assert!(world.kinds(true).await.is_empty(), "the next process resolves what it finds");
    for _ in 0..2 {
        let who = Some(&account);
        let done = world.control.resolve_issue(&actor(), who, issue.id.clone()).await.unwrap();
        assert!(done.resolved.is_some());
    }
}
