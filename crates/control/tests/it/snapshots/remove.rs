//! Removed boxes: what is kept of them, and for how long.

use std::time::Duration;

use smartbox_control::{ControlError, Undelete};
use smartbox_core::smartbox::{Desired, State};
use smartbox_core::snapshot::record::Leaving;

use super::{LONG, NOTE, secs};
use crate::copies::Fault;
use crate::world::{World, actor};

impl World {
    async fn removed(&self, id: &smartbox_core::id::SmartboxId) {
        self.control.remove(&actor(), id).await.unwrap();
        assert!(self.control.gone(std::slice::from_ref(id), LONG).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_removed_box_comes_back_with_what_it_had_last() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.write(&id, NOTE, "the last word").await;
    world.removed(&id).await;
    assert_eq!(world.read(&id, NOTE).await, None, "its home is gone");
    let stones = world.control.tombstones(Some(world.account().await)).await.unwrap();
    assert_eq!((stones.len(), stones[0].row.name.as_str()), (1, "pa"));
    assert!(world.control.archive(&id).await.unwrap().generations.len() >= 2);
    let back = Undelete { name: Some("back".into()), account: None };
    let row = world.control.undelete(&actor(), &id, back).await.unwrap();
    assert_eq!((row.name.as_str(), row.desired, row.removing), ("back", Desired::Off, false));
    assert!(world.control.tombstones(None).await.unwrap().is_empty());
    world.control.start(&actor(), &id, Desired::On).await.unwrap();
    world.settle(&id, State::Running).await;
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("the last word"));
    world.take(&id).await;
    let again = world.control.undelete(&actor(), &id, Undelete::default()).await;
    assert!(matches!(again, Err(ControlError::Missing { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_taken_meanwhile_is_said() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.removed(&id).await;
    world.running("pa", Desired::On).await;
    let back = world.control.undelete(&actor(), &id, Undelete::default()).await;
    assert!(matches!(back, Err(ControlError::Exists { .. })), "{back:?}");
    assert_eq!(world.control.tombstones(None).await.unwrap().len(), 1, "it stays where it was");
}

#[tokio::test(start_paused = true)]
async fn a_removal_waits_for_its_last_snapshot_unless_it_is_told_not_to() {
    for leaving in [Leaving::Force, Leaving::Purge] {
        let world = World::new().await;
        let id = world.noted("one").await;
        world.take(&id).await;
        world.write(&id, NOTE, "two").await;
        world.copies.always("take: begin", Fault::Away);
        world.control.remove(&actor(), &id).await.unwrap();
        assert!(!world.control.gone(std::slice::from_ref(&id), Duration::from_secs(600)).await);
        let view = world.control.view(&id).await.unwrap();
        assert!(view.phase.contains("last snapshot") && view.phase.contains("told to be away"));
        assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("two"));
        world.control.remove_with(&actor(), &id, leaving).await.unwrap();
        assert!(world.control.gone(std::slice::from_ref(&id), LONG).await);
        let stones = world.control.tombstones(None).await.unwrap().len();
        assert_eq!(stones, usize::from(leaving == Leaving::Force));
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_waited_goes_once_the_storage_is_back() {
    let mut world = World::new().await;
    let id = world.noted("one").await;
    world.copies.always("create", Fault::Full);
    world.control.remove(&actor(), &id).await.unwrap();
    secs(120).await;
    world.kill_and_open().await;
    secs(120).await;
    assert!(world.control.view(&id).await.unwrap().row.removing);
    world.copies.heal();
    assert!(world.control.gone(std::slice::from_ref(&id), LONG).await);
    assert_eq!(world.copies.snapshots(&id).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_purged_is_gone_for_good() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.removed(&id).await;
    world.copies.always("destroy", Fault::Away);
    world.control.purge(&actor(), &id).await.unwrap_err();
    assert_eq!(world.control.tombstones(None).await.unwrap().len(), 1, "nothing was forgotten");
    world.copies.heal();
    world.control.purge(&actor(), &id).await.unwrap();
    assert!(!world.copies.has(&id));
    assert!(world.control.tombstones(None).await.unwrap().is_empty());
    assert!(matches!(world.control.archive(&id).await, Err(ControlError::Missing { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_tombstone_that_ran_out_is_swept_and_one_that_did_not_is_not() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.removed(&id).await;
    secs(29 * 24 * 3600).await;
    assert!(world.copies.has(&id));
    secs(2 * 24 * 3600).await;
    assert!(!world.copies.has(&id));
    let purged = World::new().await;
    let id = purged.noted("one").await;
    purged.take(&id).await;
    purged.control.remove_with(&actor(), &id, Leaving::Purge).await.unwrap();
    assert!(purged.control.gone(std::slice::from_ref(&id), LONG).await);
    assert!(purged.control.tombstones(None).await.unwrap().is_empty());
    secs(2 * 3600).await;
    assert!(!purged.copies.has(&id), "without a tombstone for anybody to see");
}

#[tokio::test(start_paused = true)]
async fn a_box_that_was_never_started_leaves_nothing() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Off).await;
    world.removed(&row.id).await;
    assert!(world.control.tombstones(None).await.unwrap().is_empty());
    assert!(!world.copies.has(&row.id));
}

#[tokio::test(start_paused = true)]
async fn the_boxes_of_a_removed_account_are_buried_and_come_back_in_another() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let me = world.account().await;
    let rows = world.control.remove_account(&actor(), &me, true, None).await.unwrap();
    assert!(world.control.gone(&rows, LONG).await);
    let alone = world.control.undelete(&actor(), &id, Undelete::default()).await;
    assert!(matches!(alone, Err(ControlError::Missing { .. })), "{alone:?}");
    let other = world.control.ensure_account("other").await.unwrap().id;
    let there = Undelete { name: None, account: Some(other.clone()) };
    let row = world.control.undelete(&actor(), &id, there).await.unwrap();
    assert_eq!(row.account, other);
    world.control.start(&actor(), &id, Desired::On).await.unwrap();
    world.settle(&id, State::Running).await;
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("one"));
}
