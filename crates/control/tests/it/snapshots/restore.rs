//! Another state in the place of a home.

use std::time::Duration;

use smartbox_control::{Compare, ControlError, SnapshotJob};
use smartbox_core::job::JobState;
use smartbox_core::message::Delivery;
use smartbox_core::smartbox::{Desired, State};
use smartbox_core::snapshot::Generation;
use smartbox_core::snapshot::port::Change;
use smartbox_core::snapshot::record::Why;
use smartbox_runtime::sim::Call;

use super::{NOTE, restore, secs};
use crate::copies::Fault;
use crate::world::{World, actor};

#[tokio::test(start_paused = true)]
async fn a_restore_brings_a_generation_back_and_can_be_undone() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let one = world.take(&id).await;
    world.write(&id, NOTE, "two").await;
    world.write(&id, "other", "beside it").await;
    let done = world.done(&id, restore(one.generation)).await;
    world.settle(&id, State::Running).await;
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("one"));
    assert_eq!(world.read(&id, "other").await, None);
    let undo = Generation(done["undo"].as_u64().unwrap());
    let kept = world.generations(&id).await;
    let undone = kept.iter().find(|one| one.generation == undo).unwrap();
    assert_eq!(undone.why, Why::Restore);
    let newest = kept.last().unwrap();
    assert!(newest.generation > undo, "what was restored is a generation of its own");
    assert_eq!(world.newest_note(&id).await.as_deref(), Some("one"));
    world.done(&id, restore(undo)).await;
    world.settle(&id, State::Running).await;
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("two"));
    assert_eq!(world.read(&id, "other").await.as_deref(), Some("beside it"));
    world.write(&id, NOTE, "three").await;
    world.take(&id).await;
    assert_eq!(world.newest_note(&id).await.as_deref(), Some("three"));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_says_meanwhile_is_answered() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let one = world.take(&id).await;
    world.script.will().turn = Duration::from_secs(40);
    let first = world.say(&id, "in the middle").await;
    secs(5).await;
    let job = world.begin(&id, restore(one.generation)).await;
    secs(5).await;
    let second = world.say(&id, "while it waits").await;
    let starts = world.sim.faults().calls(Call::Start);
    assert_eq!(starts, 1, "the turn is not cut off");
    world.script.will().turn = Duration::ZERO;
    let ended = world.ended(&job).await;
    assert_eq!(ended.state, JobState::Succeeded, "{:?}", ended.failure);
    for message in [&first, &second] {
        assert_eq!(world.answer(message).await.state, Delivery::Answered);
    }
    world.settle(&id, State::Running).await;
}

#[tokio::test(start_paused = true)]
async fn a_box_that_is_off_stays_so() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let one = world.take(&id).await;
    world.control.stop(&actor(), &id).await.unwrap();
    world.settle(&id, State::Stopped).await;
    world.write(&id, NOTE, "two").await;
    let starts = world.sim.faults().calls(Call::Start);
    world.done(&id, restore(one.generation)).await;
    secs(600).await;
    assert_eq!(world.sim.faults().calls(Call::Start), starts);
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("one"));
}

#[tokio::test(start_paused = true)]
async fn a_restore_of_a_home_that_is_gone_needs_none_to_be_kept() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let one = world.take(&id).await;
    world.write(&id, NOTE, "two").await;
    world.stopped(&id).await;
    world.sim.lose_home(&id);
    let done = world.done(&id, restore(one.generation)).await;
    assert!(done["undo"].is_null());
    world.woken(&id).await;
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("one"));
    world.take(&id).await;
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_fails_leaves_the_home_and_the_box_goes_on() {
    for (step, fault) in [
        ("take: begin", Fault::Full),
        ("claim", Fault::Refused),
        ("restore: begin", Fault::Away),
        ("restore: a file", Fault::Away),
        ("restore: done", Fault::Away),
    ] {
        let world = World::new().await;
        let id = world.noted("one").await;
        let one = world.take(&id).await;
        world.write(&id, NOTE, "two").await;
        world.copies.always(step, fault);
        let job = world.ended(&world.begin(&id, restore(one.generation)).await).await;
        assert_eq!(job.state, JobState::Failed, "{step}");
        world.settle(&id, State::Running).await;
        assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("two"), "{step}");
        world.copies.heal();
        world.done(&id, restore(one.generation)).await;
        world.settle(&id, State::Running).await;
        assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("one"));
    }
}

#[tokio::test(start_paused = true)]
async fn single_files_come_back_beside_what_runs() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.write(&id, "dir/a", "old").await;
    world.write(&id, "dir/sub/b", "old").await;
    world.write(&id, "elsewhere", "old").await;
    let one = world.take(&id).await;
    for path in [NOTE, "dir/a", "dir/sub/b", "elsewhere", "dir/new"] {
        world.write(&id, path, "new").await;
    }
    let shifts = world.sim.faults().calls(Call::Shift);
    // A double's archive of a folder has names that begin with the folder's own: a file at a time here.
    let paths = vec![NOTE.to_owned(), "dir/a".to_owned(), "dir/sub/b".to_owned()];
    let done = world.done(&id, SnapshotJob::Restore { generation: one.generation, paths }).await;
    assert_eq!(done["files"], 3);
    assert_eq!(world.sim.faults().calls(Call::Shift), shifts, "nothing was stopped");
    for (path, text) in [
        (NOTE, "one"),
        ("dir/a", "old"),
        ("dir/sub/b", "old"),
        ("elsewhere", "new"),
        ("dir/new", "new"),
    ] {
        assert_eq!(world.read(&id, path).await.as_deref(), Some(text), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_what_a_restore_would_undo() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let one = world.take(&id).await;
    world.write(&id, NOTE, "two").await;
    world.write(&id, "new", "two").await;
    let diff = world.control.diff_snapshot(&id, Some(one.generation), Compare::Home, 1);
    let diff = diff.await.unwrap();
    assert_eq!((diff.total, diff.changes), (2, vec![("new".into(), Change::Added)]));
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("two"));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_refused_at_once() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let row = world.control.find(&world.account().await, "pa").await.unwrap();
    let asked = restore(Generation(9));
    let refused = world.control.snapshot_later(&actor(), &row, asked).await;
    assert!(matches!(refused, Err(ControlError::Missing { what: "snapshot" })));
    world.write(&id, NOTE, "one").await;
}

#[tokio::test(start_paused = true)]
async fn a_fork_begins_with_the_snapshot_and_goes_its_own_way() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let one = world.take(&id).await;
    world.write(&id, NOTE, "two").await;
    let fork =
        |name: &str| SnapshotJob::Fork { generation: Some(one.generation), name: name.to_owned() };
    let made = world.done(&id, fork("twin")).await;
    let twin = made["smartbox"].as_str().unwrap().parse().unwrap();
    world.settle(&twin, State::Running).await;
    assert_eq!(world.read(&twin, NOTE).await.as_deref(), Some("one"));
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("two"));
    let first = world.take(&twin).await;
    assert_eq!(first.generation, Generation(1), "its snapshots are its own");
    let taken = world.ended(&world.begin(&id, fork("twin")).await).await;
    assert_eq!(taken.failure.unwrap().code, "exists");
}

#[tokio::test(start_paused = true)]
async fn a_fork_that_was_cut_off_is_made_once() {
    let mut world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.copies.always("restore: a file", Fault::Hang);
    let job = world.begin(&id, SnapshotJob::Fork { generation: None, name: "twin".into() }).await;
    world.copies.until_hung(1).await;
    world.copies.heal();
    world.kill_and_open().await;
    let ended = world.ended(&job).await;
    assert_eq!(ended.state, JobState::Succeeded, "{:?}", ended.failure);
    assert_eq!(world.control.list(&world.account().await).await.unwrap().len(), 2);
    let twin = ended.result.unwrap()["smartbox"].as_str().unwrap().parse().unwrap();
    assert_eq!(world.read(&twin, NOTE).await.as_deref(), Some("one"));
}
