//! Another installation takes boxes over from the storage.

use smartbox_control::ControlError;
use smartbox_core::message::Delivery;
use smartbox_core::smartbox::State;
use smartbox_core::snapshot::record::Why;

use super::NOTE;
use crate::copies::Fault;
use crate::world::{World, actor};

#[tokio::test(start_paused = true)]
async fn a_box_goes_on_elsewhere_with_its_memory_and_the_old_place_is_fenced_off() {
    let old = World::new().await;
    let id = old.noted("remember").await;
    let kept = old.take(&id).await;
    let new = old.beside().await;
    let found = new.control.recoverable().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id.clone(), found[0].name.as_deref()), (id.clone(), Some("pa")));
    assert_eq!((found[0].account.as_deref(), found[0].newest.clone()), (Some("me"), Some(kept)));
    assert_eq!(found[0].problem, None);
    let rows = new.control.recover(&actor(), std::slice::from_ref(&id)).await.unwrap();
    assert_eq!(rows[0].name, "pa");
    new.settle(&id, State::Running).await;
    assert_eq!(new.read(&id, NOTE).await.as_deref(), Some("remember"));
    let message = new.say(&id, "hello").await;
    assert_eq!(new.answer(&message).await.state, Delivery::Answered);
    assert!(new.control.recoverable().await.unwrap().is_empty());
    new.write(&id, NOTE, "go on").await;
    new.take(&id).await;
    let archive = new.control.archive(&id).await.unwrap().archive;
    assert!(archive.base > 0 && archive.base.is_multiple_of(1 << 32));
    old.write(&id, NOTE, "a ghost").await;
    let ghost = old.control.take_snapshot(&id, Why::Asked, None).await.unwrap_err();
    assert!(ghost.to_string().contains("another installation"), "{ghost}");
    // And once more elsewhere.
    let third = new.beside().await;
    third.control.recover(&actor(), std::slice::from_ref(&id)).await.unwrap();
    third.settle(&id, State::Running).await;
    assert_eq!(third.read(&id, NOTE).await.as_deref(), Some("go on"));
    assert!(third.control.archive(&id).await.unwrap().archive.base > archive.base);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_opened_is_listed_with_its_reason_and_not_taken_over() {
    let old = World::new().await;
    let id = old.noted("remember").await;
    old.take(&id).await;
    old.copies.garble_record(&id);
    let new = old.beside().await;
    let found = new.control.recoverable().await.unwrap();
    assert!(found[0].problem.as_ref().unwrap().contains("another master key"), "{found:?}");
    let refused = new.control.recover(&actor(), std::slice::from_ref(&id)).await.unwrap_err();
    let ControlError::Refused { why, hint } = refused else { panic!("{refused:?}") };
    assert!(why.contains("another master key") && hint.contains("master.key"));
    assert!(new.control.list_all().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_box_that_is_known_here_is_not_taken_over() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.take(&id).await;
    let refused = world.control.recover(&actor(), &[id]).await;
    assert!(matches!(refused, Err(ControlError::Exists { .. })));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_acknowledged_before_it_could_be_recovered() {
    let world = World::new().await;
    let id = world.noted("one").await;
    world.copies.always("put record", Fault::Away);
    world.control.take_snapshot(&id, Why::Asked, None).await.unwrap_err();
    assert!(world.generations(&id).await.is_empty());
    world.copies.heal();
    world.take(&id).await;
}
