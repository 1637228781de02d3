//! Commands: what is kept of them, how they end, and that boxes stay awake for them.

use std::time::Duration;

use smartbox_control::{Caps, Captured, ControlError, End};
use smartbox_core::id::SmartboxId;
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
