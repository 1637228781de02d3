//! That snapshots are whole, and live.

use smartbox_control::SnapshotJob;
use smartbox_core::issue::{Filter, Kind};
use smartbox_core::job::JobState;
use smartbox_core::smartbox::{Desired, State};
use smartbox_runtime::sim::Call;

use super::{NOTE, secs};
use crate::copies::Fault;
use crate::world::{OBJECTIVE, World};

async fn issues(world: &World) -> Vec<Kind> {
    let filter = Filter { open: Some(true), ..Filter::default() };
    let open = world.control.list_issues(filter, None, 10).await.unwrap();
    open.into_iter().map(|issue| issue.kind).collect()
}

const ALL: SnapshotJob = SnapshotJob::Verify { generation: None };

#[tokio::test(start_paused = true)]
async fn what_was_read_back_says_so() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let one = world.take(&id).await;
    world.write(&id, NOTE, "two").await;
    world.take(&id).await;
    let since = async || {
        let all = world.generations(&id).await;
        all.iter().map(|record| record.verified > Some(record.taken)).collect::<Vec<_>>()
    };
    assert_eq!(since().await, [false, false], "not since they were taken");
    secs(1).await;
    let of_one = SnapshotJob::Verify { generation: Some(one.generation) };
    assert_eq!(world.done(&id, of_one).await["snapshots"], 1);
    assert_eq!(since().await, [true, false]);
    assert_eq!(world.done(&id, ALL).await["snapshots"], 2);
    assert_eq!(since().await, [true, true]);
}

#[tokio::test(start_paused = true)]
async fn what_is_damaged_is_alarmed_and_the_next_snapshot_is_taken_all_the_same() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let one = world.take(&id).await;
    world.copies.damage(&id, &one.snapshot);
    let job = world.ended(&world.begin(&id, ALL).await).await;
    assert_eq!(job.state, JobState::Failed);
    assert!(issues(&world).await.contains(&Kind::SnapshotDamaged));
    tokio::time::sleep(OBJECTIVE).await;
    let newest = world.generations(&id).await.pop().unwrap();
    assert!(newest.generation > one.generation, "though nothing had changed");
    world.copies.repair(&id);
    world.done(&id, ALL).await;
    assert!(issues(&world).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn damage_that_is_in_the_way_of_a_snapshot_is_looked_for_and_put_right() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let one = world.take(&id).await;
    world.copies.rot(&id);
    world.write(&id, NOTE, "two").await;
    let two = world.take(&id).await;
    assert!(two.generation > one.generation);
    assert_eq!(world.newest_note(&id).await.as_deref(), Some("two"));
    assert!(issues(&world).await.contains(&Kind::SnapshotDamaged), "it was told");
    assert_eq!(world.done(&id, ALL).await["snapshots"], 2);
    assert!(issues(&world).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn damage_that_stays_is_not_looked_for_at_each_try() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.copies.rot(&id);
    // Whatever is found, it cannot be read.
    world.copies.always("verify", Fault::Away);
    world.write(&id, NOTE, "two").await;
    world.copies.passed();
    tokio::time::sleep(std::time::Duration::from_mins(30)).await;
    let passed = world.copies.passed();
    let looked = passed.iter().filter(|step| **step == "verify").count();
    let tried = passed.iter().filter(|step| **step == "take: write").count();
    assert!(looked == 1 && tried > 5, "{looked} of {tried}");
    assert!(world.control.archive(&id).await.unwrap().archive.trouble.is_some());
    world.copies.heal();
    tokio::time::sleep(std::time::Duration::from_mins(60)).await;
    assert_eq!(world.newest_note(&id).await.as_deref(), Some("two"));
}

#[tokio::test(start_paused = true)]
async fn what_a_verification_finds_of_a_box_at_rest_is_put_right_at_once() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.stopped(&id).await;
    let before = world.generations(&id).await.pop().unwrap();
    world.copies.rot(&id);
    let job = world.ended(&world.begin(&id, ALL).await).await;
    assert_eq!(job.state, JobState::Failed);
    let after = world.generations(&id).await.pop().unwrap();
    assert!(after.generation > before.generation, "though nothing had changed");
    world.done(&id, ALL).await;
    assert!(issues(&world).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_drill_brings_the_newest_up_and_leaves_nothing() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    let said = world.script.times_given("This is a restore drill. Say that you are there.");
    let done = world.done(&id, SnapshotJob::Drill).await;
    assert_eq!(done["passed"], true, "{done}");
    assert_eq!(done["note"], "the engine came up, its doctor found it well and answered");
    assert_eq!(
        world.script.times_given("This is a restore drill. Say that you are there."),
        said + 1
    );
    let archive = world.control.archive(&id).await.unwrap().archive;
    assert_eq!(archive.proven, archive.drill);
    assert_eq!(archive.proven.unwrap().generation.0, 1);
    let left = world.control.list_all().await.unwrap();
    assert_eq!(left.len(), 1);
    assert!(world.control.tombstones(None).await.unwrap().is_empty());
    assert_eq!(world.copies.boxes_kept(), 1, "the scratch box kept nothing");
    assert!(issues(&world).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_drill_that_does_not_live_is_alarmed_and_the_last_proof_stays() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.done(&id, SnapshotJob::Drill).await;
    world.script.will().says_no = true;
    let done = world.done(&id, SnapshotJob::Drill).await;
    assert_eq!(done["passed"], false);
    assert_eq!(issues(&world).await, [Kind::DrillFailed]);
    let archive = world.control.archive(&id).await.unwrap().archive;
    assert!(archive.proven.unwrap().passed && !archive.drill.unwrap().passed);
    world.script.will().says_no = false;
    world.copies.always("restore: begin", Fault::Away);
    assert_eq!(world.done(&id, SnapshotJob::Drill).await["passed"], false);
    world.copies.heal();
    assert_eq!(world.done(&id, SnapshotJob::Drill).await["passed"], true);
    assert!(issues(&world).await.is_empty());
    assert_eq!(world.control.list_all().await.unwrap().len(), 1);
}

/// It came up, and would answer: its own look at itself counts all the same.
#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_find_itself_well_is_not_proven() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.script.will().ill = true;
    let done = world.done(&id, SnapshotJob::Drill).await;
    assert_eq!(done["passed"], false);
    assert_eq!(done["note"], "the engine's doctor ended with 3: the database is malformed");
    assert_eq!(issues(&world).await, [Kind::DrillFailed]);
    assert!(world.control.archive(&id).await.unwrap().archive.proven.is_none());
    assert_eq!(world.control.list_all().await.unwrap().len(), 1, "nothing of it stays");
    world.script.will().ill = false;
    assert_eq!(world.done(&id, SnapshotJob::Drill).await["passed"], true);
    assert!(issues(&world).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_drill_that_was_cut_off_is_cleared_away_and_done_again() {
    let mut world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.copies.always("restore: a file", Fault::Hang);
    let job = world.begin(&id, SnapshotJob::Drill).await;
    world.copies.until_hung(1).await;
    assert_eq!(world.control.list_all().await.unwrap().len(), 2);
    world.copies.heal();
    world.kill_and_open().await;
    let ended = world.ended(&job).await;
    assert_eq!(ended.state, JobState::Succeeded, "{:?}", ended.failure);
    assert_eq!(ended.result.unwrap()["passed"], true);
    assert_eq!(world.control.list_all().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_drill_that_is_cancelled_leaves_nothing() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.copies.always("restore: a file", Fault::Hang);
    let job = world.begin(&id, SnapshotJob::Drill).await;
    world.copies.until_hung(1).await;
    world.control.cancel_job(&crate::world::actor(), &job.id).await.unwrap();
    assert_eq!(world.ended(&job).await.state, JobState::Cancelled);
    secs(60).await;
    assert_eq!(world.control.list_all().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_scratch_box_reaches_nobody_and_is_answered_by_the_demo() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    world.script.will().turn = std::time::Duration::from_secs(120);
    let before = world.sim.faults().calls(Call::Incoming);
    let job = world.begin(&id, SnapshotJob::Drill).await;
    secs(60).await;
    let scratch = world.control.list_all().await.unwrap();
    let scratch = scratch.iter().find(|row| row.id != id).expect("a scratch box at work");
    assert!(scratch.name.starts_with("drill-") && scratch.state == State::Running);
    // One listener is served, the one of models: of any other box it is three.
    assert_eq!(world.sim.faults().calls(Call::Incoming) - before, 1);
    assert!(world.generations(&scratch.id).await.is_empty());
    world.script.will().turn = std::time::Duration::ZERO;
    assert_eq!(world.ended(&job).await.state, JobState::Succeeded);
    let other = world.running("other", Desired::On).await;
    assert_eq!(world.sim.faults().calls(Call::Incoming) - before, 4, "{other}");
}
