//! Nothing is lost and nothing is said twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use smartbox_control::{ControlError, NewMessage, Undelete};
use smartbox_core::BoxFuture;
use smartbox_core::engine::TurnEvent;
use smartbox_core::engine::port::EngineError;
use smartbox_core::message::Delivery;
use smartbox_core::smartbox::{Desired, Rest, State};
use smartbox_core::store::{Store, StoreError, Work};
use smartbox_store::memory::{Fault, Moment};

use crate::copies;
use crate::world::{World, actor};

#[tokio::test(start_paused = true)]
async fn a_message_wakes_a_sleeping_box_and_is_answered() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.control.sleep(&actor(), &id, Rest::Stopped).await.unwrap();
    world.settle(&id, State::Stopped).await;
    let message = world.say(&id, "hello").await;
    let events: Vec<_> = world.control.follow(&message.id).collect().await;
    assert_eq!(events.last(), Some(&TurnEvent::Answered("you said: hello".into())), "{events:?}");
    let message = world.answer(&message).await;
    assert_eq!(
        (message.state, message.reply.as_deref()),
        (Delivery::Answered, Some("you said: hello"))
    );
    let again: Vec<_> = world.control.follow(&message.id).collect().await;
    assert_eq!(
        again,
        [TurnEvent::Answered("you said: hello".into())],
        "who comes late gets the end"
    );
}

#[tokio::test(start_paused = true)]
async fn messages_are_given_in_order_one_at_a_time() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().turn = Duration::from_secs(3);
    let mut sent = Vec::new();
    for n in 0..5 {
        sent.push(world.say(&id, &format!("{n}")).await);
    }
    let mut finished = Vec::new();
    for message in &sent {
        finished.push(world.answer(message).await.finished.unwrap());
    }
    assert!(finished.is_sorted() && finished.windows(2).all(|w| w[0] != w[1]), "{finished:?}");
}

#[tokio::test(start_paused = true)]
async fn the_same_id_twice_is_one_message() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let first = world.say(&id, "once").await;
    let repeat = |text: &str| NewMessage {
        id: Some(first.id.clone()),
        session: None,
        channel: "test".into(),
        text: text.into(),
    };
    assert_eq!(world.control.accept(&id, repeat("once")).await.unwrap().id, first.id);
    let other = world.control.accept(&id, repeat("something else")).await;
    assert!(matches!(other, Err(ControlError::Exists { .. })), "{other:?}");
    world.answer(&first).await;
    assert_eq!(world.script.times_given("once"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_engine_never_saw_is_sent_again() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().lose = 3;
    let message = world.say(&id, "hello").await;
    let message = world.answer(&message).await;
    assert_eq!((message.state, message.attempts), (Delivery::Answered, 4));
    assert_eq!(world.script.times_given("hello"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_engine_has_is_awaited_and_not_sent_again() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().cut = 1;
    let message = world.say(&id, "hello").await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(world.control.message(&message.id).await.unwrap().state, Delivery::Handed);
    world.script.recover();
    let message = world.answer(&message).await;
    assert_eq!((message.reply.as_deref(), message.attempts), (Some("recovered"), 1));
    assert_eq!(world.script.asked("turn"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_failed_while_nobody_looked_is_told_with_its_reason_and_not_begun_again() {
    let mut world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().cut = 1;
    let (first, second) = (world.say(&id, "first").await, world.say(&id, "second").await);
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.script.fail("no credit is left");
    world.kill_and_open().await;
    let began = tokio::time::Instant::now();
    let first = world.answer(&first).await;
    assert_eq!(
        (first.state, first.error.as_deref(), first.attempts),
        (Delivery::Failed, Some("no credit is left"), 1)
    );
    assert_eq!(world.answer(&second).await.reply.as_deref(), Some("you said: second"));
    assert!(began.elapsed() < Duration::from_secs(60), "nobody queues behind it");
    assert_eq!((world.script.times_given("first"), world.script.asked("turn")), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_fails_while_it_is_awaited_is_told_with_its_reason() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().cut = 1;
    let message = world.say(&id, "hello").await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    world.script.fail("aborted");
    let message = world.answer(&message).await;
    assert_eq!((message.error.as_deref(), message.attempts), (Some("aborted"), 1));
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_turn_that_the_engine_never_comes_back_to_ends_some_time() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().cut = 1;
    let message = world.say(&id, "hello").await;
    tokio::time::sleep(Duration::from_secs(890)).await;
    assert_eq!(world.control.message(&message.id).await.unwrap().state, Delivery::Handed);
    let message = world.answer(&message).await;
    assert!(message.error.unwrap().contains("did not come back"));
    assert_eq!(world.script.asked("turn"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_could_not_be_written_is_asked_for_and_not_made_anew() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().turn = Duration::from_secs(3);
    let message = world.say(&id, "hello").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.memory.fail_commit(1, Moment::Before, Fault::Full);
    let message = world.answer(&message).await;
    assert_eq!((message.reply.as_deref(), message.attempts), (Some("you said: hello"), 1));
    assert_eq!(world.script.asked("turn"), 1);
}

/// Records that cannot be read so often.
struct Unread {
    inner: Arc<dyn Store>,
    times: AtomicUsize,
}

impl Store for Unread {
    fn write(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.write(work)
    }
    fn read(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>> {
        let less = |n: usize| n.checked_sub(1);
        if self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return Box::pin(async { Err(StoreError::Full) });
        }
        self.inner.read(work)
    }
    fn version(&self) -> u64 {
        self.inner.version()
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_delivered_though_the_records_could_not_be_read_when_it_came() {
    // Whichever of the reads of a delivery it is that fails.
    for failing in 1..=12 {
        let mut kept = None;
        let world = World::around(|inner| {
            let unread = Arc::new(Unread { inner, times: AtomicUsize::new(0) });
            kept = Some(unread.clone());
            unread
        })
        .await;
        let id = world.running("pa", Desired::On).await;
        let unread = kept.unwrap();
        let message = world.say(&id, "hello").await;
        unread.times.store(failing, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let message = world.control.message(&message.id).await.unwrap();
        assert_eq!(message.state, Delivery::Answered, "{failing}");
        assert_eq!(world.script.times_given("hello"), 1, "{failing}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_messages_of_a_box_that_waits_to_be_removed_are_given_up_once_and_its_storage_has_peace()
 {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().lose = u32::MAX;
    let (first, second) = (world.say(&id, "first").await, world.say(&id, "second").await);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(world.control.message(&first.id).await.unwrap().state, Delivery::Handed);
    let events = world.control.follow(&second.id);
    world.copies.always("create", copies::Fault::Full);
    world.control.remove(&actor(), &id).await.unwrap();
    for message in [&first, &second] {
        let message = world.answer(message).await;
        assert_eq!(message.error.as_deref(), Some("the smartbox was removed"));
    }
    let removed = TurnEvent::Failed("the smartbox was removed".into());
    assert_eq!(events.collect::<Vec<_>>().await.last(), Some(&removed));
    let (before, chats) = (world.copies.passed().len(), world.script.asked("chat"));
    tokio::time::sleep(Duration::from_secs(600)).await;
    let tries = world.copies.passed().len() - before;
    assert!((1..=21).contains(&tries), "one each half a minute: {tries}");
    assert_eq!(world.script.asked("chat"), chats);
    world.copies.heal();
    assert!(world.control.gone(std::slice::from_ref(&id), Duration::from_secs(600)).await);
}

#[tokio::test(start_paused = true)]
async fn who_watches_a_message_is_told_when_its_box_goes_and_one_made_again_takes_new_ones() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.write(&id, "workspace/note.txt", "one").await;
    world.script.will().lose = u32::MAX;
    let sent = [world.say(&id, "first").await, world.say(&id, "second").await];
    tokio::time::sleep(Duration::from_secs(5)).await;
    let watched = sent.each_ref().map(|message| world.control.follow(&message.id));
    world.control.remove(&actor(), &id).await.unwrap();
    for events in watched {
        let all = tokio::time::timeout(Duration::from_secs(600), events.collect::<Vec<_>>()).await;
        let removed = TurnEvent::Failed("the smartbox was removed".into());
        assert_eq!(all.unwrap().last(), Some(&removed));
    }
    assert!(world.control.gone(std::slice::from_ref(&id), Duration::from_secs(600)).await);
    world.script.will().lose = 0;
    world.control.undelete(&actor(), &id, Undelete::default()).await.unwrap();
    world.control.start(&actor(), &id, Desired::On).await.unwrap();
    world.settle(&id, State::Running).await;
    let message = world.say(&id, "third").await;
    assert_eq!(world.answer(&message).await.reply.as_deref(), Some("you said: third"));
}

#[tokio::test(start_paused = true)]
async fn the_history_waits_for_an_engine_that_restarts_and_not_for_ever() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let message = world.say(&id, "hello").await;
    world.answer(&message).await;
    let before = world.script.asked("history");
    world.script.will().away = 3;
    let history = world.control.history(&id, "main", 10).await.unwrap();
    assert_eq!(history.first().map(|entry| entry.text.as_str()), Some("hello"));
    assert_eq!(world.script.asked("history") - before, 4);
    world.script.will().away = u32::MAX;
    let never = world.control.history(&id, "main", 10).await;
    assert!(matches!(never, Err(ControlError::Engine(EngineError::Interrupted))), "{never:?}");
}

#[tokio::test(start_paused = true)]
async fn a_killed_control_plane_loses_no_message() {
    let mut world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.script.will().turn = Duration::from_secs(60);
    let (first, second) = (world.say(&id, "first").await, world.say(&id, "second").await);
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.kill_and_open().await;
    world.script.recover();
    assert_eq!(world.answer(&first).await.reply.as_deref(), Some("recovered"));
    assert_eq!(world.answer(&second).await.reply.as_deref(), Some("you said: second"));
    assert_eq!((world.script.times_given("first"), world.script.times_given("second")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_delivered_is_refused_or_given_up_with_a_reason() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let empty = NewMessage { id: None, session: None, channel: "test".into(), text: " ".into() };
    assert!(matches!(world.control.accept(&id, empty).await, Err(ControlError::Refused { .. })));
    let odd = NewMessage {
        id: None,
        session: Some("../x".into()),
        channel: "test".into(),
        text: "x".into(),
    };
    assert!(matches!(world.control.accept(&id, odd).await, Err(ControlError::Refused { .. })));
    world.script.will().says_no = true;
    let message = world.say(&id, "hello").await;
    assert_eq!(world.answer(&message).await.error.as_deref(), Some("no"));
    world.control.stop(&actor(), &id).await.unwrap();
    let off = NewMessage { id: None, session: None, channel: "test".into(), text: "x".into() };
    assert!(matches!(world.control.accept(&id, off).await, Err(ControlError::Off { .. })));
}
