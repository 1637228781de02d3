//! Tiers: what they take of the machine, and when a change of one takes effect.

use std::time::Duration;

use smartbox_control::{Change, ControlError, NewSmartbox};
use smartbox_core::smartbox::{Desired, Kind, Reason, Rest, Smartbox, State};

use crate::world::{World, actor};

/// A box of 2 GiB on a machine of 5.
async fn large(world: &World, name: &str) -> Smartbox {
    let account = world.control.ensure_account("me").await.unwrap();
    let tier = Some("large".to_owned());
    let new = NewSmartbox { tier, ..NewSmartbox::of(name, Kind::CUSTOM, Desired::On) };
    world.control.create(&actor(), &account.id, new).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_start_that_the_machine_cannot_carry_is_refused_with_numbers_and_made_up_for() {
    let world = World::new().await;
    let (one, two) = (large(&world, "one").await, large(&world, "two").await);
    for row in [&one, &two] {
        world.settle(&row.id, State::Running).await;
    }
    let three = large(&world, "three").await;
    let settled = world.control.settle(&three.id, &[State::Running], Duration::from_secs(60)).await;
    let Err(ControlError::Failed(failure)) = settled else { panic!("{settled:?}") };
    assert_eq!(failure.reason, Reason::NoRoom);
    let why = "it needs 2.0 GiB, and 1.0 GiB of 5.0 GiB are left beside 2 awake and 0 frozen";
    assert!(failure.message.contains(why), "{failure:?}");
    assert!(failure.hint.contains("boxes.overcommit"), "{failure:?}");
    // Frozen, a box counts for what it holds, and the third starts by itself.
    world.control.sleep(&actor(), &one.id, Rest::Frozen).await.unwrap();
    world.settle(&one.id, State::Frozen).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    world.settle(&three.id, State::Running).await;
    // One that is thawed was admitted once, and is not refused now.
    world.control.wake(&actor(), &one.id).await.unwrap();
    world.settle(&one.id, State::Running).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_of_tier_waits_for_the_next_start() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let tier = Change { tier: Some("large".into()), ..Change::default() };
    let row = world.control.change_box(&actor(), &id, tier, None).await.unwrap();
    let tiers = |row: &Smartbox| (row.tier.clone(), row.running_tier.clone().unwrap());
    assert_eq!(tiers(&row), ("large".into(), "small".into()));
    let row = world.settle(&id, State::Running).await;
    assert_eq!((tiers(&row).1.as_str(), row.epoch), ("small", 1));
    world.control.restart(&actor(), &id).await.unwrap();
    let row = world.settle(&id, State::Running).await;
    assert_eq!(tiers(&row), ("large".into(), "large".into()));
    let none = Change { tier: Some("huge".into()), ..Change::default() };
    let error = world.control.change_box(&actor(), &id, none, None).await.unwrap_err();
    assert!(error.to_string().contains("there is no tier `huge`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_box_sleeps_by_its_own_times_where_it_has_some() {
    let world = World::new().await;
    let (own, other) =
        (world.running("own", Desired::Auto).await, world.running("b", Desired::Auto).await);
    let times = |freeze: Option<u64>| Change {
        freeze_after: Some(freeze.map(Duration::from_secs)),
        ..Change::default()
    };
    world.control.change_box(&actor(), &own, times(Some(30)), None).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.settle(&own, State::Frozen).await;
    world.settle(&other, State::Running).await;
    // Back to the platform's times, it still sleeps until something needs it.
    world.control.change_box(&actor(), &own, times(None), None).await.unwrap();
    world.control.wake(&actor(), &own).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.settle(&own, State::Running).await;
    for bad in [Some(0), Some(u64::MAX)] {
        world.control.change_box(&actor(), &own, times(bad), None).await.unwrap_err();
    }
}
