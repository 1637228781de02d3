//! What a home begins with where there is none.

use smartbox_control::ControlError;
use smartbox_core::home::HomeOf;
use smartbox_core::home::place::Places;
use smartbox_core::smartbox::{Desired, Reason, State};
use smartbox_runtime::sim::Call;

use super::{LONG, NOTE};
use crate::copies::Fault;
use crate::world::{World, actor};

#[tokio::test(start_paused = true)]
async fn a_home_that_is_gone_is_restored_before_the_engine_starts() {
    let world = World::new().await;
    let id = world.noted("remember").await;
    world.stopped(&id).await;
    world.sim.lose_home(&id);
    world.woken(&id).await;
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("remember"));
    world.write(&id, NOTE, "go on").await;
    world.take(&id).await;
    assert_eq!(world.newest_note(&id).await.as_deref(), Some("go on"));
}

#[tokio::test(start_paused = true)]
async fn no_box_begins_blank_because_its_storage_is_away() {
    for step in ["list", "restore: begin", "restore: a file", "restore: done"] {
        let world = World::new().await;
        let id = world.noted("remember").await;
        world.stopped(&id).await;
        world.sim.lose_home(&id);
        world.copies.always(step, Fault::Away);
        let starts = world.sim.faults().calls(Call::Start);
        world.control.wake(&actor(), &id).await.unwrap();
        let failed = world.control.settle(&id, &[State::Running], LONG).await;
        let Err(ControlError::Failed(failure)) = failed else { panic!("{step}: {failed:?}") };
        assert_eq!(failure.reason, Reason::RestoreFailed);
        assert!(failure.message.contains("told to be away"), "{}", failure.message);
        assert_eq!(world.sim.faults().calls(Call::Start), starts, "nothing was started");
        let of = HomeOf { smartbox: id.clone(), slot: 0, disk_bytes: 0 };
        assert!(world.sim.place(of).await.unwrap().is_none(), "there is no blank home");
        world.copies.heal();
        world.woken(&id).await;
        assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("remember"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_generation_that_is_missing_in_the_storage_is_no_reason_to_begin_anew() {
    let world = World::new().await;
    let id = world.noted("remember").await;
    world.stopped(&id).await;
    world.sim.lose_home(&id);
    world.copies.lose_snapshots(&id);
    world.control.wake(&actor(), &id).await.unwrap();
    let failed = world.control.settle(&id, &[State::Running], LONG).await;
    assert!(matches!(failed, Err(ControlError::Failed(f)) if f.reason == Reason::RestoreFailed));
}

#[tokio::test(start_paused = true)]
async fn a_box_that_never_had_a_generation_begins_blank_and_asks_no_storage() {
    let world = World::new().await;
    world.copies.always("list", Fault::Away);
    let id = world.running("pa", Desired::On).await;
    world.stopped(&id).await;
    world.woken(&id).await;
}

#[tokio::test(start_paused = true)]
async fn a_home_that_is_there_is_used_as_it_is() {
    let world = World::new().await;
    let id = world.noted("old").await;
    world.stopped(&id).await;
    world.write(&id, NOTE, "newer than any snapshot").await;
    world.woken(&id).await;
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("newer than any snapshot"));
}
