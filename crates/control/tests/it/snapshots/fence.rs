//! Several owners, of whom some are slow and some are elsewhere.

use smartbox_control::{ControlError, SnapshotJob};
use smartbox_core::job::JobState;
use smartbox_core::smartbox::State;
use smartbox_core::snapshot::Generation;
use smartbox_core::snapshot::record::{Leaving, Why};

use super::{NOTE, secs};
use crate::copies::Fault;
use crate::world::{World, actor};

#[tokio::test(start_paused = true)]
async fn what_a_slow_owner_took_is_an_orphan_and_is_pruned() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.write(&id, NOTE, "two").await;
    world.copies.at(6, Fault::Wait);
    let (control, of) = (world.control.clone(), id.clone());
    let take = tokio::spawn(async move { control.take_snapshot(&of, Why::Asked, None).await });
    world.copies.until_hung(1).await;
    assert_eq!(world.copies.passed().last(), Some(&"take: written"));
    // It is started anew meanwhile: another owner has it now, by another fence.
    bump(&world, &id).await;
    world.copies.heal();
    world.copies.go_on();
    let taken = take.await.unwrap().unwrap().unwrap();
    let snapshots = world.copies.snapshots(&id);
    assert_eq!(snapshots.len(), 3, "it was taken again under the new fence");
    assert_eq!(taken.snapshot, snapshots[2].id);
    assert_eq!(taken.generation, Generation(3), "a number that was claimed is not used again");
    let pruned = world.done(&id, SnapshotJob::Prune).await;
    assert_eq!(pruned["snapshots"], 1);
    let left: Vec<_> = world.copies.snapshots(&id).into_iter().map(|one| one.id).collect();
    assert!(!left.contains(&snapshots[1].id) && left.contains(&taken.snapshot));
}

/// Another epoch, as of a start by another process.
async fn bump(world: &World, id: &smartbox_core::id::SmartboxId) {
    let id = id.clone();
    smartbox_core::store::write(&*world.store, move |tx| {
        Box::pin(async move {
            let mut row = tx.boxes().get(id).await?.unwrap();
            row.epoch += 1;
            tx.boxes().put(row).await
        })
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_was_taken_over_takes_nothing_prunes_nothing_and_destroys_nothing() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.copies.add_claim(&id, 50, 1 << 40);
    let taken = world.control.take_snapshot(&id, Why::Asked, None).await.unwrap_err();
    assert!(taken.to_string().contains("another installation"), "{taken}");
    let pruned = world.ended(&world.begin(&id, SnapshotJob::Prune).await).await;
    assert_eq!(pruned.state, JobState::Failed);
    world.control.remove_with(&actor(), &id, Leaving::Purge).await.unwrap();
    assert!(world.control.gone(std::slice::from_ref(&id), super::LONG).await);
    secs(2 * 3600).await;
    assert_eq!(world.copies.snapshots(&id).len(), 1, "they are the other one's now");
}

#[tokio::test(start_paused = true)]
async fn a_home_that_is_not_the_newest_generations_buries_nothing() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    let wanted = id.clone();
    // As a home that was restored from an older one by hand.
    smartbox_core::store::write(&*world.store, move |tx| {
        Box::pin(async move {
            let mut archive = tx.archives().get(wanted).await?.unwrap();
            archive.home = None;
            tx.archives().put(archive).await
        })
    })
    .await
    .unwrap();
    let refused = world.control.take_snapshot(&id, Why::Asked, None).await.unwrap_err();
    assert!(matches!(&refused, ControlError::NotNow { hint, .. } if hint.contains("restore")));
    world.settle(&id, State::Running).await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_moved_back_loses_nothing() {
    let world = World::new().await;
    let id = world.noted("0").await;
    for n in 1..6 {
        // Each an hour before the one before.
        world.clock.set_back(std::time::Duration::from_secs(3600));
        world.write(&id, NOTE, &n.to_string()).await;
        world.take(&id).await;
    }
    assert_eq!(world.newest_note(&id).await.as_deref(), Some("5"));
    world.done(&id, SnapshotJob::Prune).await;
    assert_eq!(world.newest_note(&id).await.as_deref(), Some("5"), "the newest by number is kept");
    world.write(&id, NOTE, "6").await;
    tokio::time::sleep(crate::world::OBJECTIVE).await;
    assert_eq!(world.newest_note(&id).await.as_deref(), Some("6"), "and it goes on");
}
