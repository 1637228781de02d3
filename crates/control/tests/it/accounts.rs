//! Accounts: made with their PA, changed, disabled, removed; killed in the middle.

use std::time::Duration;

use smartbox_control::{AccountChange, Change, ControlError, NewAccount, NewSmartbox};
use smartbox_core::account::Account;
use smartbox_core::id::AccountId;
use smartbox_core::smartbox::{Base, Desired, Kind, Smartbox, State};
use smartbox_core::store;
use smartbox_store::memory::{Fault, Moment};

use crate::world::{World, actor};

async fn ann(world: &World) -> (Account, Smartbox) {
    let new = NewAccount { name: "ann".into(), ..NewAccount::default() };
    world.control.new_account(&actor(), new, Desired::On).await.unwrap()
}

async fn acts(world: &World, account: &AccountId) -> Vec<String> {
    let id = account.clone();
    let work = store::read(&*world.store, |tx| {
        Box::pin(async move {
            assert_eq!(tx.audit().verify(id.clone()).await?, None);
            tx.audit().list(id, 0, 1000).await
        })
    });
    work.await.unwrap().into_iter().map(|entry| entry.act.action).collect()
}

#[tokio::test(start_paused = true)]
async fn an_account_is_made_with_its_pa_once() {
    let world = World::new().await;
    let me = world.control.ensure_account("me").await.unwrap();
    let pa = NewSmartbox::of("pa", Kind::PA, Desired::Off);
    world.control.create(&actor(), &me.id, pa).await.unwrap();
    let (ann, pa) = ann(&world).await;
    assert_eq!((pa.name.as_str(), pa.label.as_str(), pa.base), ("pa", "pa-ann", Base::Pa));
    world.settle(&pa.id, State::Running).await;
    assert_eq!(acts(&world, &ann.id).await, ["account.create", "box.create"]);
    let again = NewAccount { name: "ann".into(), ..NewAccount::default() };
    let error = world.control.new_account(&actor(), again, Desired::On).await.unwrap_err();
    assert!(matches!(error, ControlError::Exists { what: "account" }), "{error}");
    // Another PA under another name, or of a kind of one's own, is none the less a second one.
    let second = NewSmartbox::of("second", Kind::PA, Desired::Off);
    let error = world.control.create(&actor(), &ann.id, second).await.unwrap_err();
    assert!(error.to_string().contains("has its PA already"), "{error}");
    for name in ["", "A", "a b", "www", "../x", "acc_00000000000000000001"] {
        let new = NewAccount { name: name.into(), ..NewAccount::default() };
        let error = world.control.new_account(&actor(), new, Desired::On).await.unwrap_err();
        assert!(matches!(error, ControlError::BadName(_)), "{name}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_fails_half_way_is_not_there_at_all() {
    let mut world = World::new().await;
    world.memory.fail_commit(1, Moment::Before, Fault::Full);
    let new = NewAccount { name: "ann".into(), ..NewAccount::default() };
    world.control.new_account(&actor(), new, Desired::On).await.unwrap_err();
    world.kill_and_open().await;
    assert!(world.control.accounts().await.unwrap().is_empty());
    ann(&world).await;
}

#[tokio::test(start_paused = true)]
async fn a_disabled_account_stands_still_until_it_is_enabled() {
    let mut world = World::new().await;
    let (ann, pa) = ann(&world).await;
    world.settle(&pa.id, State::Running).await;
    let disable = |disabled| AccountChange { disabled: Some(disabled), ..AccountChange::default() };
    let off =
        world.control.change_account(&actor(), &ann.id, disable(true), Some(1)).await.unwrap();
    assert_eq!((off.disabled, off.revision), (true, 2));
    world.settle(&pa.id, State::Stopped).await;
    // What its owner wishes stays as it was, and holds again later; nothing wakes it meanwhile.
    for _ in 0..2 {
        let control = &world.control;
        let error = control.wake(&actor(), &pa.id).await.unwrap_err();
        assert!(error.to_string().contains("the account ann is disabled"), "{error}");
        control.start(&actor(), &pa.id, Desired::On).await.unwrap_err();
        let new = NewSmartbox::of("more", Kind::CUSTOM, Desired::On);
        control.create(&actor(), &ann.id, new).await.unwrap_err();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let view = control.view(&pa.id).await.unwrap();
        assert_eq!((view.row.state, view.row.desired), (State::Stopped, Desired::On));
        world.kill_and_open().await;
    }
    world.control.change_account(&actor(), &ann.id, disable(false), None).await.unwrap();
    world.settle(&pa.id, State::Running).await;
}

#[tokio::test(start_paused = true)]
async fn who_changes_an_old_revision_changes_nothing() {
    let world = World::new().await;
    let (ann, pa) = ann(&world).await;
    let name = |text: &str| AccountChange {
        display: Some(text.to_owned()),
        labels: vec![("team".into(), Some(text.to_owned()))],
        ..AccountChange::default()
    };
    let control = &world.control;
    let one = control.change_account(&actor(), &ann.id, name("one"), Some(1)).await.unwrap();
    assert_eq!((one.revision, one.labels.get("team")), (2, Some("one")));
    let late = control.change_account(&actor(), &ann.id, name("two"), Some(1)).await.unwrap_err();
    assert!(matches!(late, ControlError::Stale { revision: 2 }), "{late}");
    // To change nothing is no change.
    let same = control.change_account(&actor(), &ann.id, name("one"), None).await.unwrap();
    assert_eq!(same, one);
    let tier = |tier: &str| Change { tier: Some(tier.to_owned()), ..Change::default() };
    let row = control.change_box(&actor(), &pa.id, tier("large"), Some(1)).await.unwrap();
    assert_eq!((row.revision, row.tier.as_str()), (2, "large"));
    let late = control.change_box(&actor(), &pa.id, tier("small"), Some(1)).await.unwrap_err();
    assert!(matches!(late, ControlError::Stale { revision: 2 }), "{late}");
    // What happens to a box is not a change of what its owner decided.
    world.settle(&pa.id, State::Running).await;
    control.restart(&actor(), &pa.id).await.unwrap();
    assert_eq!(world.settle(&pa.id, State::Running).await.revision, 2);
    // A refused change leaves no trace.
    let bad = Change { labels: vec![("-".into(), Some("x".into()))], ..Change::default() };
    control.change_box(&actor(), &pa.id, bad, None).await.unwrap_err();
    let told = acts(&world, &ann.id).await;
    assert_eq!(told.iter().filter(|act| act.ends_with("change")).count(), 2, "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn an_account_with_boxes_goes_only_if_they_may_go_too() {
    let world = World::new().await;
    let (ann, pa) = ann(&world).await;
    world.settle(&pa.id, State::Running).await;
    let control = &world.control;
    let error = control.remove_account(&actor(), &ann.id, false, None).await.unwrap_err();
    assert!(error.to_string().contains("has 1 smartboxes"), "{error}");
    let boxes = control.remove_account(&actor(), &ann.id, true, Some(1)).await.unwrap();
    assert!(control.gone(&boxes, Duration::from_secs(60)).await);
    assert!(
        control.account("ann").await.is_err() && control.list(&ann.id).await.unwrap().is_empty()
    );
    assert_eq!(acts(&world, &ann.id).await.last().unwrap(), "box.remove");
    // The name is free; the next account of the name is another one.
    let (again, _) = self::ann(&world).await;
    assert_ne!(again.id, ann.id);
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_was_killed_at_any_commit_ends_all_the_same() {
    for nth in 1..8 {
        let mut world = World::new().await;
        let (ann, pa) = ann(&world).await;
        let more = NewSmartbox::of("more", Kind::CUSTOM, Desired::On);
        let more = world.control.create(&actor(), &ann.id, more).await.unwrap();
        for id in [&pa.id, &more.id] {
            world.settle(id, State::Running).await;
        }
        // From this commit on nothing more reaches the disk, as if the process had been killed.
        for later in nth..nth + 50 {
            world.memory.fail_commit(later, Moment::Before, Fault::Broken);
        }
        let wished = world.control.remove_account(&actor(), &ann.id, true, None).await;
        if let Ok(boxes) = &wished {
            world.control.gone(boxes, Duration::from_secs(30)).await;
        }
        world.memory.heal();
        world.kill_and_open().await;
        if wished.is_err() {
            // The wish itself was lost: everything is as it was.
            assert_eq!(world.control.list(&ann.id).await.unwrap().len(), 2, "{nth}");
            continue;
        }
        let boxes = [pa.id, more.id];
        assert!(world.control.gone(&boxes, Duration::from_secs(3600)).await, "{nth}");
        assert!(world.control.account("ann").await.is_err(), "{nth}");
        acts(&world, &ann.id).await;
    }
}
