//! The same over repositories that the restic program reads.

use std::ffi::OsString;
use std::sync::Arc;

use smartbox_control::SnapshotJob;
use smartbox_core::smartbox::State;
use smartbox_core::snapshot::Generation;
use smartbox_snapshot::Restic;

use super::{NOTE, restore};
use crate::world::{World, actor};

/// Not a test: this binary as the program that reads homes, with one thread.
#[test]
#[ignore = "the test beside it starts it"]
fn reader() {
    smartbox_snapshot::reader_main();
}

fn as_reader() -> Vec<OsString> {
    let this = std::env::current_exe().unwrap();
    let words = ["--exact", "snapshots::real::reader", "--ignored", "--test-threads=1"];
    [this.into_os_string()].into_iter().chain(words.map(OsString::from)).collect()
}

#[tokio::test]
async fn a_box_is_kept_lost_restored_forked_pruned_and_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let restic = Restic::directory(dir.path()).unwrap().with_reader(as_reader());
    let world = World::keeping(Arc::new(restic)).await;
    let id = world.noted("one").await;
    world.write(&id, "deep/er/file", "beneath").await;
    let one = world.take(&id).await;
    assert!(one.files >= 2 && one.added > 0);
    world.write(&id, NOTE, "two").await;
    world.stopped(&id).await;
    world.sim.lose_home(&id);
    world.woken(&id).await;
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("two"));

    let done = world.done(&id, restore(one.generation)).await;
    world.settle(&id, State::Running).await;
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("one"));
    let undo = Generation(done["undo"].as_u64().unwrap());
    world.write(&id, "deep/er/file", "changed").await;
    let paths = vec!["deep".to_owned(), NOTE.to_owned()];
    let back = world.done(&id, SnapshotJob::Restore { generation: undo, paths }).await;
    assert_eq!(back["files"], 2, "{back}");
    assert_eq!(world.read(&id, "deep/er/file").await.as_deref(), Some("beneath"));
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("two"));

    let fork = SnapshotJob::Fork { generation: Some(one.generation), name: "twin".into() };
    let twin = world.done(&id, fork).await["smartbox"].as_str().unwrap().parse().unwrap();
    assert_eq!(world.read(&twin, NOTE).await.as_deref(), Some("one"));
    assert_eq!(world.done(&id, SnapshotJob::Drill).await["passed"], true);

    for n in 0..4 {
        world.write(&id, NOTE, &format!("more {n}")).await;
        world.take(&id).await;
    }
    let pruned = world.done(&id, SnapshotJob::Prune).await;
    assert_eq!(pruned["kept"], 3, "{pruned}");
    let verified = world.done(&id, SnapshotJob::Verify { generation: None }).await;
    assert_eq!(verified["snapshots"], 3);

    let heir = world.beside().await;
    let ids = std::slice::from_ref(&id);
    heir.control.recover(&actor(), ids).await.unwrap();
    heir.settle(&id, State::Running).await;
    assert_eq!(heir.read(&id, NOTE).await.as_deref(), Some("more 3"));
    heir.control.remove(&actor(), &id).await.unwrap();
    assert!(heir.control.gone(ids, super::LONG).await);
    heir.control.purge(&actor(), &id).await.unwrap();
    assert!(!dir.path().join(id.as_str()).exists());
}
