//! What is no longer kept.

use smartbox_control::{ArchiveChange, SnapshotJob};
use smartbox_core::snapshot::{Generation, Keep};

use super::{NOTE, secs};
use crate::world::{World, actor};

async fn seven(world: &World) -> smartbox_core::id::SmartboxId {
    let id = world.noted("0").await;
    for n in 1..8 {
        world.write(&id, NOTE, &n.to_string()).await;
        world.take(&id).await;
    }
    id
}

#[tokio::test(start_paused = true)]
async fn a_box_keeps_what_its_owner_says_or_else_the_platform() {
    let world = World::new().await;
    let id = seven(&world).await;
    let done = world.done(&id, SnapshotJob::Prune).await;
    assert_eq!((done["snapshots"].as_u64(), done["kept"].as_u64()), (Some(4), Some(3)));
    let keep = Some(Some(Keep { last: 1, ..Keep::default() }));
    let change = ArchiveChange { keep, ..ArchiveChange::default() };
    world.control.change_archive(&actor(), &id, change).await.unwrap();
    world.done(&id, SnapshotJob::Prune).await;
    let kept: Vec<_> = world.generations(&id).await.iter().map(|one| one.generation).collect();
    assert_eq!(kept, [Generation(7)]);
    assert_eq!(world.copies.snapshots(&id).len(), 1);
    world.write(&id, NOTE, "8").await;
    assert_eq!(world.take(&id).await.generation, Generation(8), "numbers go on");
}

#[tokio::test(start_paused = true)]
async fn it_happens_by_itself_once_a_day() {
    let world = World::new().await;
    let id = seven(&world).await;
    secs(2 * 3600).await;
    assert_eq!(world.generations(&id).await.len(), 3);
    for n in 0..5 {
        world.write(&id, NOTE, &format!("more {n}")).await;
        world.take(&id).await;
    }
    secs(12 * 3600).await;
    assert_eq!(world.generations(&id).await.len(), 8);
    secs(14 * 3600).await;
    assert_eq!(world.generations(&id).await.len(), 3);
}
