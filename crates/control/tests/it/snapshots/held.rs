//! The moment in which a box is held still.

use std::time::Duration;

use smartbox_core::sandbox::port::Runtime;
use smartbox_core::sandbox::{Phase, Shift};
use smartbox_core::smartbox::{Desired, State};
use smartbox_core::snapshot::record::Why;
use smartbox_core::time::Clock;
use smartbox_runtime::sim::Call;

use super::secs;
use crate::copies::Fault;
use crate::world::{FREEZE_AFTER, World, actor};

async fn phase(world: &World, id: &smartbox_core::id::SmartboxId) -> Phase {
    world.sim.observe(id.clone()).await.unwrap().phase
}

#[tokio::test(start_paused = true)]
async fn a_box_is_frozen_for_the_copy_and_goes_on_after_it() {
    let world = World::new().await;
    let id = world.noted("a").await;
    world.copies.always("take: held", Fault::Wait);
    let (control, of) = (world.control.clone(), id.clone());
    let take = tokio::spawn(async move { control.take_snapshot(&of, Why::Asked, None).await });
    world.copies.until_hung(1).await;
    assert_eq!(phase(&world, &id).await, Phase::Frozen);
    secs(20).await;
    assert_eq!(phase(&world, &id).await, Phase::Frozen, "the keeper does not thaw it");
    world.copies.go_on();
    take.await.unwrap().unwrap().unwrap();
    assert_eq!(phase(&world, &id).await, Phase::Up);
    secs(600).await;
    let row = world.settle(&id, State::Running).await;
    assert_eq!((row.epoch, row.vitals.breaker.strikes.len()), (1, 0), "it did not count as dead");
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_does_not_end_lets_the_box_go() {
    let world = World::new().await;
    let id = world.noted("a").await;
    world.copies.always("take: held", Fault::Wait);
    let (control, of) = (world.control.clone(), id.clone());
    let take = tokio::spawn(async move { control.take_snapshot(&of, Why::Asked, None).await });
    world.copies.until_hung(1).await;
    secs(60).await;
    assert_eq!(phase(&world, &id).await, Phase::Up);
    world.copies.go_on();
    take.await.unwrap().expect_err("what was not still is no snapshot");
    assert!(world.copies.snapshots(&id).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_box_at_rest_does_not_start_while_it_is_copied() {
    let world = World::new().await;
    let id = world.noted("a").await;
    world.stopped(&id).await;
    world.copies.always("take: held", Fault::Wait);
    let (control, of) = (world.control.clone(), id.clone());
    let take = tokio::spawn(async move { control.take_snapshot(&of, Why::Asked, None).await });
    world.copies.until_hung(1).await;
    let starts = world.sim.faults().calls(Call::Start);
    world.control.wake(&actor(), &id).await.unwrap();
    secs(10).await;
    assert_eq!(world.sim.faults().calls(Call::Start), starts);
    world.copies.heal();
    world.copies.go_on();
    world.settle(&id, State::Running).await;
    take.await.unwrap().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_box_that_was_asleep_is_not_woken_by_its_copy() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    tokio::time::sleep(FREEZE_AFTER + Duration::from_secs(60)).await;
    world.settle(&id, State::Frozen).await;
    let shifts = world.sim.faults().calls(Call::Shift);
    world.take(&id).await;
    assert_eq!(world.sim.faults().calls(Call::Shift), shifts);
    assert_eq!(phase(&world, &id).await, Phase::Frozen);
}

#[tokio::test(start_paused = true)]
async fn what_a_process_left_frozen_that_died_is_thawed_by_the_next() {
    let mut world = World::new().await;
    let id = world.noted("a").await;
    world.control.drain().await;
    world.sim.shift(id.clone(), Shift::Freeze { page_out: false }).await.unwrap();
    world.kill_and_open().await;
    world.settle(&id, State::Running).await;
    assert_eq!(phase(&world, &id).await, Phase::Up);
}

#[tokio::test(start_paused = true)]
async fn one_that_would_sleep_by_then_is_asked_first() {
    let mut world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    let alarm = world.clock.now().plus(Duration::from_secs(50_000));
    world.script.will().alarm = Some(alarm);
    tokio::time::sleep(FREEZE_AFTER - Duration::from_secs(5)).await;
    world.control.drain().await;
    world.sim.shift(id.clone(), Shift::Freeze { page_out: false }).await.unwrap();
    secs(60).await;
    world.kill_and_open().await;
    let row = world.settle(&id, State::Frozen).await;
    assert_eq!(row.alarm, Some(alarm), "its clock was read before it sleeps");
    assert!(row.suspension.is_some());
}
