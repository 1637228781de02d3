//! Commands: what is kept of them, how they end, and that boxes stay awake for them.

use std::time::Duration;

use smartbox_control::{Caps, Captured, ControlError, End};
use smartbox_core::exec::{KEEPS, Outcome};
use smartbox_core::id::SmartboxId;
use smartbox_core::job::{Job, JobState};
use smartbox_core::smartbox::{Desired, Rest, State};
use smartbox_link::frame::Frame;
use smartbox_link::wire::{ExecOrder, Exit, TtySize};

use crate::world::{FREEZE_AFTER, STOP_AFTER, World, actor};

fn order(argv: &[&str]) -> ExecOrder {
    let argv = argv.iter().map(|&arg| arg.to_owned()).collect();
    ExecOrder { argv, env: Default::default(), cwd: None, timeout_ms: None, tty: None }
}

async fn run(world: &World, id: &SmartboxId, order: ExecOrder, caps: Caps) -> Captured {
    world.control.run(&actor(), id, order, "typed".into(), caps).await.unwrap()
}

fn exit(captured: &Captured) -> Exit {
    match &captured.end {
        End::Exit(exit) => *exit,
        End::Failed(why) => panic!("{why}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_wakes_its_box_reads_its_input_and_says_how_it_ended() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    world.control.sleep(&actor(), &id, Rest::Frozen).await.unwrap();
    world.settle(&id, State::Frozen).await;
    let captured = run(&world, &id, order(&["cat"]), Caps::default()).await;
    assert_eq!((exit(&captured).code, &captured.stdout.bytes[..]), (Some(0), &b"typed"[..]));
    assert!(!captured.stdout.truncated);
    let captured = run(&world, &id, order(&["exit", "7"]), Caps::default()).await;
    assert_eq!(exit(&captured).code, Some(7));
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_cut_and_the_command_still_ends_by_itself() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let captured = run(&world, &id, order(&["flood", "3000000"]), Caps::of(100_000)).await;
    assert_eq!(exit(&captured).code, Some(0), "it was not held up");
    for kept in [captured.stdout, captured.stderr] {
        assert_eq!((kept.bytes.len(), kept.truncated), (100_000, true));
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_whether_or_not_the_box_heeds_it() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let ten = |argv| ExecOrder { timeout_ms: Some(10_000), ..order(argv) };
    let heeded = run(&world, &id, ten(&["sleep", "1000"]), Caps::default()).await;
    assert!(exit(&heeded).timed_out && heeded.took < Duration::from_secs(11));
    let ignored = run(&world, &id, ten(&["hang"]), Caps::default()).await;
    assert!(exit(&ignored).timed_out && ignored.took < Duration::from_secs(60));
    let usual = run(&world, &id, order(&["sleep", "1000"]), Caps::default()).await;
    assert!(exit(&usual).timed_out && usual.took >= Duration::from_secs(60));
    let greedy = ExecOrder { timeout_ms: Some(u64::MAX), ..order(&["sleep", "999999999"]) };
    let longest = run(&world, &id, greedy, Caps::default()).await;
    assert!(longest.took < smartbox_control::LONGEST + Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_run_wakes_nobody() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    world.control.sleep(&actor(), &id, Rest::Frozen).await.unwrap();
    world.settle(&id, State::Frozen).await;
    for bad in [order(&[]), order(&[""]), order(&["a\0"]), order(&["x", &"y".repeat(100_000)])] {
        let refused = world.control.run(&actor(), &id, bad, "".into(), Caps::default()).await;
        assert!(matches!(refused, Err(ControlError::Refused { .. })));
    }
    assert_eq!(world.control.view(&id).await.unwrap().row.state, State::Frozen);
}

#[tokio::test(start_paused = true)]
async fn an_open_terminal_keeps_its_box_awake_and_a_closed_one_lets_it_sleep() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    let terminal =
        ExecOrder { tty: Some(TtySize { cols: 80, rows: 24 }), ..order(&["sleep", "999999999"]) };
    let mut running = world.control.exec(&actor(), &id, terminal).await.unwrap();
    tokio::time::sleep(STOP_AFTER * 2).await;
    assert_eq!(world.control.view(&id).await.unwrap().row.state, State::Running);
    running.exec.input.send(Frame::Resize(TtySize { cols: 1, rows: 1 })).await.unwrap();
    let silent = tokio::time::timeout(Duration::from_secs(1), running.exec.next()).await;
    assert!(silent.is_err(), "it runs on: {silent:?}");
    drop(running);
    tokio::time::sleep(FREEZE_AFTER / 2).await;
    assert_eq!(world.control.view(&id).await.unwrap().row.state, State::Running, "not at once");
    tokio::time::sleep(FREEZE_AFTER).await;
    assert_eq!(world.control.view(&id).await.unwrap().row.state, State::Frozen);
}

async fn submit(world: &World, id: &SmartboxId, argv: &[&str], stdin: &'static str) -> Job {
    let row = world.control.view(id).await.unwrap().row;
    world.control.submit_exec(&actor(), &row, order(argv), stdin.into()).await.unwrap()
}

async fn over(world: &World, job: &Job) -> Job {
    world.control.job_over(&job.id, smartbox_control::LONGEST * 2).await.unwrap()
}

fn outcome(job: &Job) -> Outcome {
    serde_json::from_value(job.result.clone().unwrap_or_else(|| panic!("{job:?}"))).unwrap()
}

#[tokio::test(start_paused = true)]
async fn as_a_job_it_wakes_its_box_and_its_result_is_kept() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    world.control.sleep(&actor(), &id, Rest::Frozen).await.unwrap();
    world.settle(&id, State::Frozen).await;
    let job = over(&world, &submit(&world, &id, &["cat"], "typed\n").await).await;
    assert_eq!(job.state, JobState::Succeeded);
    let said = outcome(&job);
    assert_eq!((said.exit.code, said.stdout.text.as_str()), (Some(0), "typed\n"));
    assert!(!job.input.to_string().contains("typed"), "its input is written nowhere");
    let failed = over(&world, &submit(&world, &id, &["exit", "7"], "").await).await;
    assert_eq!((failed.state, outcome(&failed).exit.code), (JobState::Succeeded, Some(7)));
    let flood = over(&world, &submit(&world, &id, &["flood", "3000000"], "").await).await;
    assert!(outcome(&flood).stdout.truncated && outcome(&flood).stderr.truncated);
    // To look at them wakes nobody.
    world.control.sleep(&actor(), &id, Rest::Frozen).await.unwrap();
    let row = world.settle(&id, State::Frozen).await;
    assert_eq!(world.control.execs(&row, None, 10).await.unwrap().len(), 3);
    assert_eq!(world.control.execs(&row, Some(&flood.id), 10).await.unwrap()[0].id, failed.id);
    world.control.exec_job(&row, &job.id).await.unwrap();
    assert_eq!(world.control.view(&id).await.unwrap().row.state, State::Frozen);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_one_is_killed_and_its_box_may_sleep() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    let row = world.control.view(&id).await.unwrap().row;
    let job = submit(&world, &id, &["hang"], "").await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(world.tracker.going(&id).busy);
    let job = world.control.cancel_exec(&actor(), &row, &job.id).await.unwrap();
    assert_eq!(job.state, JobState::Cancelled);
    assert!(!world.tracker.going(&id).busy);
    let again = world.control.cancel_exec(&actor(), &row, &job.id).await.unwrap();
    assert_eq!(again.state, JobState::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn another_boxs_commands_are_not_there() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let other = world.new_box("other", Desired::On).await;
    let job = submit(&world, &id, &["true"], "").await;
    let missing = world.control.exec_job(&other, &job.id).await;
    assert!(matches!(missing, Err(ControlError::Missing { .. })));
    let missing = world.control.cancel_exec(&actor(), &other, &job.id).await;
    assert!(matches!(missing, Err(ControlError::Missing { .. })));
    assert_eq!(world.control.execs(&other, Some(&job.id), 10).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_control_plane_that_dies_in_the_middle_never_runs_it_twice() {
    let mut world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let ran = || world.sim.commands(&id, "sleep");
    let job = submit(&world, &id, &["sleep", "50"], "secret").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(ran(), 1);
    // Sixteen run at once, the seventeenth waits, and what it was given dies with the process.
    let mut waits = job.clone();
    for _ in 0..16 {
        waits = submit(&world, &id, &["sleep", "51"], "secret").await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.kill_and_open().await;
    tokio::time::sleep(Duration::from_secs(300)).await;
    let (job, waited) = (over(&world, &job).await, over(&world, &waits).await);
    for job in [job, waited] {
        assert_eq!(job.state, JobState::Failed);
        assert_eq!(job.failure.as_ref().unwrap().code, "interrupted", "{job:?}");
    }
    assert_eq!(world.sim.commands(&id, "sleep"), 16, "none was begun again");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_results_are_kept_of_a_box_and_for_a_day() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let row = world.control.view(&id).await.unwrap().row;
    let first = over(&world, &submit(&world, &id, &["true"], "").await).await;
    for _ in 0..KEEPS {
        // One after another by the clock, too: the oldest goes.
        tokio::time::sleep(Duration::from_millis(2)).await;
        over(&world, &submit(&world, &id, &["true"], "").await).await;
    }
    let kept = world.control.execs(&row, None, 1000).await.unwrap();
    assert!((KEEPS..=KEEPS + 1).contains(&kept.len()), "{}", kept.len());
    let gone = world.control.exec_job(&row, &first.id).await;
    assert!(matches!(gone, Err(ControlError::Missing { .. })));
    tokio::time::sleep(Duration::from_hours(25)).await;
    assert_eq!(world.control.execs(&row, None, 1000).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_off_takes_none_in() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.control.stop(&actor(), &id).await.unwrap();
    let row = world.settle(&id, State::Stopped).await;
    let off = world.control.submit_exec(&actor(), &row, order(&["true"]), "".into()).await;
    assert!(matches!(off, Err(ControlError::Off { .. })));
}
