//! Waking, sleeping, failing and coming back.

use std::time::Duration;

use smartbox_control::ControlError;
use smartbox_core::activity::Doing;
use smartbox_core::route::port::{Resolve, WakeError};
use smartbox_core::sandbox::port::Runtime;
use smartbox_core::sandbox::{Limits, Phase, SandboxSpec};
use smartbox_core::smartbox::{Desired, Reason, Rest, State};
use smartbox_core::time::Clock;
use smartbox_runtime::sim::Call;

use crate::world::{FREEZE_AFTER, STOP_AFTER, World, actor};

const WITHIN: Duration = Duration::from_secs(300);

#[tokio::test(start_paused = true)]
async fn an_idle_box_freezes_then_stops_and_wakes_on_demand() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    tokio::time::sleep(FREEZE_AFTER + Duration::from_secs(60)).await;
    assert_eq!(
        world.settle(&id, State::Frozen).await.suspension.as_deref(),
        Some(&*format!("lease-of-{id}-1"))
    );
    world.control.wake(&actor(), &id).await.unwrap();
    let row = world.settle(&id, State::Running).await;
    assert_eq!(
        (row.epoch, row.suspension),
        (1, None),
        "the same sandbox goes on, its lease is over"
    );
    tokio::time::sleep(STOP_AFTER + Duration::from_secs(60)).await;
    world.settle(&id, State::Stopped).await;
    Resolve::wake(&*world.control, id.clone(), WITHIN).await.unwrap();
    assert_eq!(world.settle(&id, State::Running).await.epoch, 2);
}

#[tokio::test(start_paused = true)]
async fn a_box_that_is_always_on_does_not_sleep() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    tokio::time::sleep(STOP_AFTER * 2).await;
    assert_eq!(world.control.view(&id).await.unwrap().row.state, State::Running);
}

#[tokio::test(start_paused = true)]
async fn fifty_wakes_at_once_are_one_start() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    world.control.sleep(&actor(), &id, Rest::Stopped).await.unwrap();
    world.settle(&id, State::Stopped).await;
    let before = world.sim.faults().calls(Call::Start);
    let wakes = (0..50).map(|_| Resolve::wake(&*world.control, id.clone(), WITHIN));
    for woken in futures_util::future::join_all(wakes).await {
        woken.unwrap();
    }
    assert_eq!(world.sim.faults().calls(Call::Start) - before, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_going_on_keeps_a_box_awake() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    let exec = world.control.activity().begin(&id, Doing::Exec);
    tokio::time::sleep(STOP_AFTER * 2).await;
    assert_eq!(world.control.view(&id).await.unwrap().row.state, State::Running);
    world.control.sleep(&actor(), &id, Rest::Frozen).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        world.control.view(&id).await.unwrap().row.state,
        State::Running,
        "not even when told to sleep"
    );
    drop(exec);
    world.settle(&id, State::Frozen).await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_at_work_is_not_frozen_until_it_is_done() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().busy = true;
    world.control.sleep(&actor(), &id, Rest::Frozen).await.unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(world.control.view(&id).await.unwrap().row.state, State::Running);
    assert!(world.script.asked("suspend") > 1);
    world.script.will().busy = false;
    world.settle(&id, State::Frozen).await;
    let row = world.control.view(&id).await.unwrap();
    assert_eq!(
        (row.row.state, row.observed.phase),
        (State::Frozen, Phase::Frozen),
        "told too early"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_ever() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().busy = true;
    world.control.stop(&actor(), &id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(
        world.control.view(&id).await.unwrap().observed.phase,
        Phase::Up,
        "a turn gets its time"
    );
    world.settle(&id, State::Stopped).await;
    assert!(matches!(
        Resolve::wake(&*world.control, id.clone(), WITHIN).await,
        Err(WakeError::Off)
    ));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_does_while_it_falls_asleep_keeps_it_awake() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let (activity, of) = (world.control.activity(), id.clone());
    world.script.will().meanwhile = Some(Box::new(move || activity.touch(&of)));
    // It is seen by the time at which something was done.
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.control.sleep(&actor(), &id, Rest::Frozen).await.unwrap();
    world.settle(&id, State::Frozen).await;
    assert_eq!((world.script.asked("suspend"), world.script.asked("resume")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_stumbles_when_it_wakes_is_asked_again() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.control.sleep(&actor(), &id, Rest::Frozen).await.unwrap();
    world.settle(&id, State::Frozen).await;
    world.script.will().cut_resume = 2;
    Resolve::wake(&*world.control, id.clone(), WITHIN).await.unwrap();
    let row = world.settle(&id, State::Running).await;
    assert_eq!((row.suspension, row.epoch), (None, 1), "it was made anew");
    assert_eq!(world.script.asked("resume"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_boot_that_hangs_keeps_nobody_else_from_starting() {
    let world = World::new().await;
    world.script.will().deaf = true;
    // Four may start at once.
    for name in ["one", "two", "three", "four", "five"] {
        world.new_box(name, Desired::On).await;
    }
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(world.sim.faults().calls(Call::Start), 4);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(world.sim.faults().calls(Call::Start), 5);
}

#[tokio::test(start_paused = true)]
async fn the_next_control_plane_knows_when_a_box_was_used() {
    let mut world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    let work = world.control.activity().begin(&id, Doing::Exec);
    tokio::time::sleep(STOP_AFTER).await;
    drop(work);
    let used = world.clock.now();
    tokio::time::sleep(Duration::from_secs(30)).await;
    world.kill_and_open().await;
    let row = world.control.view(&id).await.unwrap().row;
    assert!(used.since(row.last_active) < Duration::from_secs(60), "{:?}", row.last_active);
    world.settle(&id, State::Running).await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_ahead_keeps_nothing_awake() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    world.control.activity().touch(&id);
    world.clock.set_back(Duration::from_secs(86_400));
    tokio::time::sleep(FREEZE_AFTER + Duration::from_secs(120)).await;
    world.settle(&id, State::Frozen).await;
}

#[tokio::test(start_paused = true)]
async fn each_stop_gives_a_turn_its_time() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().busy = true;
    world.control.stop(&actor(), &id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(200)).await;
    world.control.start(&actor(), &id, Desired::On).await.unwrap();
    world.settle(&id, State::Running).await;
    tokio::time::sleep(Duration::from_secs(200)).await;
    world.control.stop(&actor(), &id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(world.control.view(&id).await.unwrap().observed.phase, Phase::Up);
    world.settle(&id, State::Stopped).await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_silent_can_be_stopped() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().deaf = true;
    let before = world.clock.now();
    world.control.stop(&actor(), &id).await.unwrap();
    world.settle(&id, State::Stopped).await;
    let took = world.clock.now().since(before);
    assert!(took >= Duration::from_secs(30), "it was not asked for long: {took:?}");
    assert_eq!(world.sim.observe(id).await.unwrap().phase, Phase::Absent);
}

#[tokio::test(start_paused = true)]
async fn what_a_control_plane_finds_at_work_goes_on() {
    let mut world = World::new().await;
    let slept = world.running("slept", Desired::On).await;
    let stopped = world.running("stopped", Desired::On).await;
    world.script.will().busy = true;
    let alarm = world.clock.now().plus(Duration::from_secs(5000));
    world.script.will().alarm = Some(alarm);
    world.control.sleep(&actor(), &slept, Rest::Frozen).await.unwrap();
    world.control.sleep(&actor(), &stopped, Rest::Stopped).await.unwrap();
    world.kill_and_open().await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    for id in [&slept, &stopped] {
        assert_eq!(world.sim.observe(id.clone()).await.unwrap().phase, Phase::Up);
    }
    world.script.will().busy = false;
    assert_eq!(world.settle(&slept, State::Frozen).await.alarm, Some(alarm));
    assert_eq!(world.settle(&stopped, State::Stopped).await.alarm, Some(alarm));
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_passes_while_it_is_awake_is_over() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    let alarm = world.clock.now().plus(Duration::from_secs(5000));
    world.script.will().alarm = Some(alarm);
    tokio::time::sleep(FREEZE_AFTER + Duration::from_secs(60)).await;
    world.settle(&id, State::Frozen).await;
    Resolve::wake(&*world.control, id.clone(), WITHIN).await.unwrap();
    let work = world.control.activity().begin(&id, Doing::Exec);
    world.script.will().alarm = None;
    tokio::time::sleep(alarm.since(world.clock.now()) + Duration::from_secs(60)).await;
    drop(work);
    assert_eq!(world.settle(&id, State::Running).await.alarm, None);
    tokio::time::sleep(FREEZE_AFTER + Duration::from_secs(60)).await;
    world.settle(&id, State::Frozen).await;
}

#[tokio::test(start_paused = true)]
async fn the_engines_own_clock_wakes_the_box() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    let alarm = world.clock.now().plus(Duration::from_secs(5000));
    world.script.will().alarm = Some(alarm);
    tokio::time::sleep(FREEZE_AFTER + Duration::from_secs(60)).await;
    assert_eq!(world.settle(&id, State::Frozen).await.alarm, Some(alarm));
    world.script.will().alarm = None;
    tokio::time::sleep(alarm.since(world.clock.now()) + Duration::from_secs(1)).await;
    assert_eq!(world.settle(&id, State::Running).await.alarm, None);
    tokio::time::sleep(FREEZE_AFTER + Duration::from_secs(60)).await;
    world.settle(&id, State::Frozen).await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_start_is_tried_again_with_growing_pauses() {
    let world = World::new().await;
    world.sim.faults().fail(Call::Start, 3);
    let row = world.new_box("pa", Desired::On).await;
    let failed = world.control.settle(&row.id, &[State::Running], WITHIN).await;
    assert!(
        matches!(failed, Err(ControlError::Failed(failure)) if failure.reason == Reason::Runtime)
    );
    tokio::time::sleep(Duration::from_secs(30)).await;
    let row = world.settle(&row.id, State::Running).await;
    assert_eq!((row.failures, row.failure), (0, None));
}

#[tokio::test(start_paused = true)]
async fn a_person_need_not_wait_for_the_backoff() {
    let world = World::new().await;
    world.sim.faults().fail(Call::Start, 1);
    let row = world.new_box("pa", Desired::Auto).await;
    let _ = world.control.settle(&row.id, &[State::Running], WITHIN).await;
    assert!(matches!(
        Resolve::wake(&*world.control, row.id.clone(), WITHIN).await,
        Err(WakeError::Failed(_))
    ));
    world.control.wake(&actor(), &row.id).await.unwrap();
    world.settle(&row.id, State::Running).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_configuration_falls_back_to_the_last_that_worked() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.write(&id, "config", r#"{"note":"broken"}"#).await;
    world.script.will().refuses = Some("broken".into());
    world.sim.log(&id, "Invalid config at /x:\n<root>: Unrecognized key: \"oops\"");
    world.control.restart(&actor(), &id).await.unwrap();
    world.settle(&id, State::Running).await;
    let notice = world.control.view(&id).await.unwrap().notice.expect("the owner is told");
    assert!(notice.contains("oops"), "{notice}");
    let text = |path| String::from_utf8(world.sim.file(&id, path).unwrap()).unwrap();
    assert!(!text("config").contains("broken"), "{}", text("config"));
    assert!(text(".smartbox/config.refused").contains("broken"));
}

#[tokio::test(start_paused = true)]
async fn a_killed_sandbox_is_made_again() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.sim.kill(&id);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(world.settle(&id, State::Running).await.epoch, 2);
}

#[tokio::test(start_paused = true)]
async fn the_next_control_plane_adopts_what_it_finds() {
    let mut world = World::new().await;
    let on = world.running("on", Desired::On).await;
    let asleep = world.running("asleep", Desired::On).await;
    world.control.sleep(&actor(), &asleep, Rest::Frozen).await.unwrap();
    world.settle(&asleep, State::Frozen).await;
    let orphan: smartbox_core::id::SmartboxId = "box_0000000000000000zzzz".parse().unwrap();
    let spec = SandboxSpec {
        id: orphan.clone(),
        fence: 9,
        slot: 0,
        limits: Limits { cpu_millis: 0, memory_bytes: 0, pids: 0, disk_bytes: 0 },
        engine_dir: "/".into(),
        listeners: vec![],
    };
    world.sim.start(spec).await.unwrap();
    let starts = world.sim.faults().calls(Call::Start);
    world.kill_and_open().await;
    world.settle(&on, State::Running).await;
    world.settle(&asleep, State::Frozen).await;
    Resolve::wake(&*world.control, asleep.clone(), WITHIN).await.unwrap();
    assert_eq!(world.sim.faults().calls(Call::Start), starts, "nothing was started anew");
    assert_eq!(
        world.sim.observe(orphan).await.unwrap().phase,
        Phase::Absent,
        "a sandbox of no box is removed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_removed_box_leaves_nothing() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.control.remove(&actor(), &id).await.unwrap();
    let gone = world.control.settle(&id, &[], WITHIN).await;
    assert!(matches!(gone, Err(ControlError::Missing { .. })), "{gone:?}");
    assert!(matches!(world.control.view(&id).await, Err(ControlError::Missing { .. })));
    world.running("pa", Desired::On).await;
}

#[tokio::test(start_paused = true)]
async fn stopping_every_box_changes_no_wish() {
    let mut world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.control.stop_all().await.unwrap();
    assert_eq!(world.sim.observe(id.clone()).await.unwrap().phase, Phase::Absent);
    world.kill_and_open().await;
    assert_eq!(world.settle(&id, State::Running).await.desired, Desired::On);
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_is_waited_for_ends_when_the_new_engine_answers_and_not_before() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().turn = Duration::from_secs(40);
    let message = world.say(&id, "hello").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let within = Duration::from_secs(10);
    let late = world.control.restart_within(&actor(), &id, within).await;
    assert!(matches!(late, Err(ControlError::Late { .. })), "{late:?}");
    let row = world.control.restart_within(&actor(), &id, Duration::from_secs(600)).await.unwrap();
    assert_eq!(
        (row.epoch, row.restarted),
        (2, row.restart),
        "one restart is enough for two wishes"
    );
    assert_eq!(world.answer(&message).await.reply.as_deref(), Some("you said: hello"));
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_can_not_be_says_why() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().deaf = true;
    let failed = world.control.restart_within(&actor(), &id, Duration::from_secs(3600)).await;
    assert!(matches!(failed, Err(ControlError::Failed(_))), "{failed:?}");
    world.script.will().deaf = false;
    world.control.stop(&actor(), &id).await.unwrap();
    world.settle(&id, State::Stopped).await;
    let off = world.control.restart_within(&actor(), &id, Duration::from_secs(3600)).await;
    assert!(matches!(off, Err(ControlError::Off { .. })), "{off:?}");
}
