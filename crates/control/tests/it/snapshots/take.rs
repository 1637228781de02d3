//! When snapshots are taken, and how many.

use std::time::Duration;

use smartbox_control::ArchiveChange;
use smartbox_core::issue::{Filter, Kind};
use smartbox_core::smartbox::{Desired, Rest, State};
use smartbox_core::snapshot::record::Why;
use smartbox_core::time::Clock;

use super::{NOTE, secs};
use crate::copies::Fault;
use crate::world::{FREEZE_AFTER, OBJECTIVE, World, actor};

#[tokio::test(start_paused = true)]
async fn what_a_running_box_changes_is_in_a_generation_within_its_objective() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    for n in 0..5 {
        world.write(&id, NOTE, &n.to_string()).await;
        tokio::time::sleep(OBJECTIVE).await;
        assert_eq!(world.newest_note(&id).await, Some(n.to_string()));
    }
    let newest = world.generations(&id).await.pop();
    secs(3 * 3600).await;
    assert_eq!(world.generations(&id).await.pop(), newest, "nothing changed, nothing is taken");
    let view = world.control.archive(&id).await.unwrap();
    let age = world.clock.now().since(view.fresh.unwrap());
    assert!(!view.late && age <= OBJECTIVE, "it is known to be as it was: {age:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_measures_sees_how_old_is_what_no_snapshot_has() {
    let world = World::new().await;
    let measured = || (world.control.load().snapshot_age, world.control.load().past_objective);
    assert_eq!(measured(), (Duration::ZERO, 0), "nobody is there");
    let id = world.running("pa", Desired::On).await;
    let other = world.running("other", Desired::On).await;
    let patient = Some(Some(Duration::from_secs(86_400)));
    let patient = ArchiveChange { objective: patient, ..ArchiveChange::default() };
    world.control.change_archive(&actor(), &other, patient).await.unwrap();
    for _ in 0..100 {
        tokio::time::sleep(OBJECTIVE / 7).await;
        // What the patient one may miss is older, and not too old.
        assert_eq!(measured().1, 0, "{:?}", measured().0);
    }
    world.copies.always("take: begin", Fault::Away);
    world.write(&id, NOTE, "kept nowhere").await;
    tokio::time::sleep(OBJECTIVE * 5).await;
    let (age, past) = measured();
    assert!(age > OBJECTIVE * 3 && past == 1, "{age:?} {past}");
    world.copies.heal();
    secs(120).await;
    assert_eq!(measured().1, 0, "{:?}", measured().0);
    for id in [&id, &other] {
        world.control.stop(&actor(), id).await.unwrap();
        world.settle(id, State::Stopped).await;
    }
    assert_eq!(measured(), (Duration::ZERO, 0), "at rest nothing grows older");
}

#[tokio::test(start_paused = true)]
async fn an_owner_may_want_it_sooner() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    secs(120).await;
    let change = |secs| ArchiveChange {
        objective: Some(Some(Duration::from_secs(secs))),
        ..ArchiveChange::default()
    };
    world.control.change_archive(&actor(), &id, change(1)).await.unwrap_err();
    world.control.change_archive(&actor(), &id, change(4)).await.unwrap();
    secs(120).await;
    world.write(&id, NOTE, "soon").await;
    secs(4).await;
    assert_eq!(world.newest_note(&id).await.as_deref(), Some("soon"));
}

#[tokio::test(start_paused = true)]
async fn a_box_that_falls_asleep_is_kept_once_and_then_left_alone() {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    tokio::time::sleep(FREEZE_AFTER - Duration::from_secs(2)).await;
    world.write(&id, NOTE, "the last word").await;
    secs(60).await;
    world.settle(&id, State::Frozen).await;
    assert_eq!(world.newest_note(&id).await.as_deref(), Some("the last word"));
    let taken = world.generations(&id).await.len();
    secs(3600).await;
    assert_eq!(world.generations(&id).await.len(), taken);
    world.write(&id, NOTE, "stopped").await;
    world.stopped(&id).await;
    let newest = world.generations(&id).await.pop().unwrap();
    assert_eq!(newest.why, Why::Sleep);
    let before = world.copies.snapshots(&id).len();
    secs(24 * 3600).await;
    assert_eq!(world.copies.snapshots(&id).len(), before, "a box at rest produces none");
}

#[tokio::test(start_paused = true)]
async fn a_restart_and_another_engine_are_reasons() {
    let world = World::new().await;
    let id = world.noted("before").await;
    world.control.restart(&actor(), &id).await.unwrap();
    let restarted = world.settle(&id, State::Running).await;
    let kept = world.generations(&id).await.pop().unwrap();
    assert_eq!((kept.why, restarted.vitals.engine.as_deref()), (Why::Restart, Some("1")));
    world.stopped(&id).await;
    world.write(&id, NOTE, "written at rest").await;
    // As if the platform came back with another engine.
    let wanted = id.clone();
    smartbox_core::store::write(&*world.store, move |tx| {
        Box::pin(async move {
            let mut row = tx.boxes().get(wanted).await?.unwrap();
            row.vitals.engine = Some("0".into());
            tx.boxes().put(row).await
        })
    })
    .await
    .unwrap();
    world.woken(&id).await;
    let kept = world.generations(&id).await.into_iter().find(|one| one.why == Why::Upgrade);
    let kept = world.copies.text(&kept.expect("one before the upgrade").snapshot, NOTE);
    assert_eq!(kept.as_deref(), Some("written at rest"));
}

#[tokio::test(start_paused = true)]
async fn takes_at_once_are_one_after_another_and_no_more_than_needed() {
    let world = World::new().await;
    let id = world.noted("a").await;
    let numbers = async |count: u32| {
        let takes = (0..count).map(|_| world.take(&id));
        let taken = futures_util::future::join_all(takes).await;
        taken.iter().map(|record| record.generation.0).collect::<Vec<_>>()
    };
    assert_eq!(numbers(3).await, [1, 1, 1], "all had asked before it began");
    world.copies.always("take: write", Fault::Wait);
    let late = async {
        world.copies.until_hung(1).await;
        // The first look of this one may be over: one that began later is waited for.
        let late = numbers(3);
        world.copies.heal();
        world.copies.go_on();
        late.await
    };
    assert_eq!(futures_util::join!(numbers(1), late), (vec![2], vec![3, 3, 3]));
    assert_eq!((world.copies.at_once(), world.copies.snapshots(&id).len()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_wake_waits_for_no_storage() {
    let world = World::new().await;
    let id = world.noted("a").await;
    world.copies.always("take: write", Fault::Hang);
    world.control.sleep(&actor(), &id, Rest::Stopped).await.unwrap();
    world.copies.until_hung(1).await;
    let asked = world.clock.now();
    world.woken(&id).await;
    assert!(world.clock.now().since(asked) < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_is_away_keeps_no_box_from_its_sleep_and_somebody_is_told() {
    for fault in [Fault::Away, Fault::Full, Fault::Refused] {
        let world = World::new().await;
        let id = world.noted("a").await;
        world.copies.always("take: begin", fault);
        world.stopped(&id).await;
        let issues = async || {
            let filter = Filter { open: Some(true), ..Filter::default() };
            let open = world.control.list_issues(filter, None, 10).await.unwrap();
            open.into_iter().map(|issue| issue.kind).collect::<Vec<_>>()
        };
        assert_eq!(issues().await, [Kind::SnapshotFailed], "{fault:?}");
        assert!(world.control.archive(&id).await.unwrap().archive.trouble.is_some());
        world.copies.heal();
        world.woken(&id).await;
        tokio::time::sleep(OBJECTIVE).await;
        assert_eq!(world.newest_note(&id).await.as_deref(), Some("a"));
        assert!(issues().await.is_empty());
        assert!(world.control.archive(&id).await.unwrap().archive.trouble.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_running_box_whose_snapshots_are_late_is_alarmed_until_they_are_not() {
    let world = World::new().await;
    let id = world.noted("a").await;
    world.copies.always("claim", Fault::Away);
    tokio::time::sleep(OBJECTIVE * 4).await;
    let late = async || {
        let view = world.control.archive(&id).await.unwrap();
        let filter = Filter { open: Some(true), ..Filter::default() };
        let open = world.control.list_issues(filter, None, 10).await.unwrap();
        (view.late, open.iter().any(|issue| issue.kind == Kind::SnapshotLate))
    };
    assert_eq!(late().await, (true, true));
    world.copies.heal();
    tokio::time::sleep(OBJECTIVE * 2).await;
    assert_eq!(late().await, (false, false));
}

#[tokio::test(start_paused = true)]
async fn many_boxes_are_looked_at_a_few_at_a_time_and_each_has_its_turn() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..12 {
        let id = world.running(&format!("box{n}"), Desired::On).await;
        world.write(&id, NOTE, "a").await;
        ids.push(id);
    }
    tokio::time::sleep(OBJECTIVE * 2).await;
    for id in &ids {
        assert_eq!(world.newest_note(id).await.as_deref(), Some("a"));
    }
    assert!(world.copies.at_once() <= 2);
}
