//! Killed at every step, and refused at every step: nothing that was acknowledged is lost, and it goes on.

use smartbox_control::SnapshotJob;
use smartbox_core::job::JobState;
use smartbox_core::smartbox::State;
use smartbox_core::snapshot::Generation;
use smartbox_core::snapshot::record::Why;

use super::{NOTE, restore};
use crate::copies::Fault;
use crate::world::World;

/// Waits until the step is reached, if it is.
async fn until_hung_or(world: &World, over: impl Future<Output = ()>) -> bool {
    tokio::select! {
        biased;
        () = world.copies.until_hung(1) => true,
        () = over => false,
    }
}

/// Every generation that the records name is in the storage, at this very moment.
async fn nothing_named_is_lost(world: &World, id: &smartbox_core::id::SmartboxId, at: &str) {
    let there = world.copies.snapshots(id);
    for record in world.generations(id).await {
        assert!(there.iter().any(|one| one.id == record.snapshot), "{at}: {record:?} is lost");
    }
}

/// Every generation that the records name is in the storage; what the newest shows comes back where the
/// home is lost; and the next snapshot is taken.
async fn all_is_well(world: &World, id: &smartbox_core::id::SmartboxId, at: &str) {
    nothing_named_is_lost(world, id, at).await;
    let newest = world.newest_note(id).await;
    world.stopped(id).await;
    let after = world.newest_note(id).await;
    world.sim.lose_home(id);
    world.woken(id).await;
    assert_eq!(world.read(id, NOTE).await, after, "{at}: was {newest:?}");
    world.write(id, NOTE, "later").await;
    world.take(id).await;
    assert_eq!(world.newest_note(id).await.as_deref(), Some("later"), "{at}");
}

#[tokio::test(start_paused = true)]
async fn a_take_that_is_killed_at_any_step_loses_nothing() {
    let mut reached = 0;
    for nth in 0.. {
        let mut world = World::new().await;
        let id = world.noted("one").await;
        // On every other one there is a generation already.
        if nth % 2 == 1 {
            world.take(&id).await;
            world.write(&id, NOTE, "two").await;
        }
        world.copies.at(nth / 2, Fault::Hang);
        let (control, of) = (world.control.clone(), id.clone());
        let take = tokio::spawn(async move { control.take_snapshot(&of, Why::Asked, None).await });
        let hung = until_hung_or(&world, async { drop(take.await) }).await;
        let passed = world.copies.passed();
        let at = format!("killed at {:?}", passed.last());
        world.copies.heal();
        world.control.drain().await;
        nothing_named_is_lost(&world, &id, &at).await;
        world.kill_and_open().await;
        let home = world.settle(&id, State::Running).await;
        assert_eq!(home.state, State::Running);
        let text = if nth % 2 == 1 { "two" } else { "one" };
        assert_eq!(world.read(&id, NOTE).await.as_deref(), Some(text), "{at}");
        all_is_well(&world, &id, &at).await;
        reached += usize::from(hung);
        if !hung && nth % 2 == 1 {
            break;
        }
    }
    assert!(reached >= 14, "only {reached} steps were found");
}

#[tokio::test(start_paused = true)]
async fn a_take_that_is_refused_at_any_step_loses_nothing() {
    for fault in [Fault::Away, Fault::Full, Fault::Refused] {
        for nth in 0.. {
            let world = World::new().await;
            let id = world.noted("one").await;
            world.take(&id).await;
            world.write(&id, NOTE, "two").await;
            world.copies.at(nth, fault);
            let taken = world.control.take_snapshot(&id, Why::Asked, None).await;
            let passed = world.copies.passed();
            let at = format!("{fault:?} at {:?}", passed.get(nth));
            world.copies.heal();
            if let Ok(taken) = &taken {
                let newest = world.generations(&id).await.pop();
                assert_eq!(newest.as_ref(), taken.as_ref(), "{at}: what was acknowledged is named");
            }
            world.settle(&id, State::Running).await;
            all_is_well(&world, &id, &at).await;
            if passed.len() <= nth {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_is_killed_at_any_step_is_finished_by_the_next_process() {
    let mut reached = 0;
    for nth in 0.. {
        let mut world = World::new().await;
        let id = world.noted("one").await;
        let one = world.take(&id).await;
        world.write(&id, NOTE, "two").await;
        world.copies.at(nth, Fault::Hang);
        let job = world.begin(&id, restore(one.generation)).await;
        let hung = until_hung_or(&world, async { drop(world.ended(&job).await) }).await;
        let at = format!("killed at {:?}", world.copies.passed().last());
        world.copies.heal();
        world.control.drain().await;
        nothing_named_is_lost(&world, &id, &at).await;
        world.kill_and_open().await;
        let ended = world.ended(&job).await;
        assert_eq!(ended.state, JobState::Succeeded, "{at}: {:?}", ended.failure);
        world.settle(&id, State::Running).await;
        assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("one"), "{at}");
        let kept = world.generations(&id).await;
        let two = kept
            .iter()
            .any(|record| world.copies.text(&record.snapshot, NOTE).as_deref() == Some("two"));
        assert!(two, "{at}: what was there before is lost");
        all_is_well(&world, &id, &at).await;
        if !hung {
            break;
        }
        reached += 1;
    }
    assert!(reached >= 12, "only {reached} steps were found");
}

#[tokio::test(start_paused = true)]
async fn a_pruning_that_is_killed_at_any_step_leaves_no_name_without_its_snapshot() {
    let mut reached = 0;
    for nth in 0.. {
        let mut world = World::new().await;
        let id = world.noted("0").await;
        for n in 1..8 {
            world.write(&id, NOTE, &n.to_string()).await;
            world.take(&id).await;
        }
        world.copies.at(nth, Fault::Hang);
        let job = world.begin(&id, SnapshotJob::Prune).await;
        let hung = until_hung_or(&world, async { drop(world.ended(&job).await) }).await;
        let at = format!("killed at {:?}", world.copies.passed().last());
        world.copies.heal();
        world.control.drain().await;
        nothing_named_is_lost(&world, &id, &at).await;
        world.kill_and_open().await;
        let ended = world.ended(&job).await;
        assert_eq!(ended.state, JobState::Succeeded, "{at}: {:?}", ended.failure);
        let kept: Vec<Generation> =
            world.generations(&id).await.iter().map(|one| one.generation).collect();
        assert_eq!(kept, [5, 6, 7].map(Generation), "{at}");
        assert_eq!(world.copies.snapshots(&id).len(), 3, "{at}: nothing else is left");
        all_is_well(&world, &id, &at).await;
        if !hung {
            break;
        }
        reached += 1;
    }
    assert!(reached >= 6, "only {reached} steps were found");
}

#[tokio::test(start_paused = true)]
async fn a_beginning_that_is_killed_at_any_step_begins_again() {
    for nth in 0.. {
        let mut world = World::new().await;
        let id = world.noted("one").await;
        world.stopped(&id).await;
        world.sim.lose_home(&id);
        world.copies.at(nth, Fault::Hang);
        world.control.wake(&crate::world::actor(), &id).await.unwrap();
        let hung = until_hung_or(&world, async { drop(world.settle(&id, State::Running).await) });
        let hung = hung.await;
        let at = format!("killed at {:?}", world.copies.passed().last());
        world.copies.heal();
        world.control.drain().await;
        nothing_named_is_lost(&world, &id, &at).await;
        world.kill_and_open().await;
        world.settle(&id, State::Running).await;
        assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("one"), "{at}");
        all_is_well(&world, &id, &at).await;
        if !hung {
            assert!(nth >= 4, "only {nth} steps were found");
            break;
        }
    }
}
