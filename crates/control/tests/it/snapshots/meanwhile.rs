//! What comes for a home while another one is put in its place: nothing that was acknowledged is lost.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use smartbox_control::{ControlError, Upload};
use smartbox_core::BoxStream;
use smartbox_core::home::WriteOrder;
use smartbox_core::job::JobState;
use smartbox_core::message::Delivery;
use smartbox_core::smartbox::State;
use smartbox_core::snapshot::Generation;
use tokio::sync::oneshot;

use super::{NOTE, restore, secs};
use crate::copies::Fault;
use crate::world::{World, actor};

type Body = BoxStream<'static, io::Result<Bytes>>;

/// A body whose second half comes when it is told to.
fn slow(first: Vec<u8>, second: Vec<u8>) -> (Body, oneshot::Sender<()>) {
    let (go, gone) = oneshot::channel();
    let rest = stream::once(async move {
        gone.await.unwrap();
        Ok(Bytes::from(second))
    });
    (stream::iter([Ok(Bytes::from(first))]).chain(rest).boxed(), go)
}

fn upload(body: Body) -> Upload {
    Upload { order: WriteOrder::default(), body, len: None, digest: None }
}

fn whole(text: &'static str) -> Upload {
    upload(stream::iter([Ok(Bytes::from_static(text.as_bytes()))]).boxed())
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_in_what_is_kept_or_is_refused_and_never_lost_with_the_home() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let one = world.take(&id).await;
    let (body, go) = slow(b"fir".to_vec(), b"st".to_vec());
    let (control, of) = (world.control.clone(), id.clone());
    let slow = tokio::spawn(async move {
        control.write_file(&actor(), &of, "slow".into(), upload(body)).await
    });
    secs(1).await;
    let before = world.control.write_file(&actor(), &id, "before".into(), whole("kept")).await;
    before.unwrap();
    world.copies.always("restore: a file", Fault::Wait);
    let job = world.begin(&id, restore(one.generation)).await;
    world.copies.until_hung(1).await;
    // What is there was kept already, and is about to be replaced.
    go.send(()).unwrap();
    let (control, of) = (world.control.clone(), id.clone());
    let during = tokio::spawn(async move {
        control.write_file(&actor(), &of, "during".into(), whole("new")).await
    });
    secs(5).await;
    assert!(!slow.is_finished() && !during.is_finished(), "nothing is acknowledged meanwhile");
    world.copies.heal();
    world.copies.go_on();
    let done = world.ended(&job).await;
    assert_eq!(done.state, JobState::Succeeded, "{:?}", done.failure);
    let refused = slow.await.unwrap().unwrap_err();
    assert!(matches!(refused, ControlError::NotNow { .. }), "{refused:?}");
    during.await.unwrap().unwrap();
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("one"));
    assert_eq!(world.read(&id, "during").await.as_deref(), Some("new"));
    assert_eq!(world.read(&id, "slow").await, None);
    let undo = Generation(done.result.unwrap()["undo"].as_u64().unwrap());
    let kept = world.generations(&id).await;
    let undo = kept.iter().find(|one| one.generation == undo).unwrap();
    assert_eq!(world.copies.text(&undo.snapshot, "before").as_deref(), Some("kept"));
    let again = world.control.write_file(&actor(), &id, "slow".into(), whole("first")).await;
    again.unwrap();
    assert_eq!(world.read(&id, "slow").await.as_deref(), Some("first"));
}

#[tokio::test(start_paused = true)]
async fn half_a_folder_is_not_put_into_another_home() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let one = world.take(&id).await;
    let mut tar = tar::Builder::new(Vec::new());
    let mut halves = Vec::new();
    for name in ["a", "b"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o600);
        tar.append_data(&mut header, name, &b"x"[..]).unwrap();
        halves.push(tar.get_ref().len());
    }
    let mut bytes = tar.into_inner().unwrap();
    let second = bytes.split_off(halves[0]);
    let (body, go) = slow(bytes, second);
    let (control, of) = (world.control.clone(), id.clone());
    let folder =
        tokio::spawn(async move { control.unpack(&actor(), &of, "dir".into(), body).await });
    secs(1).await;
    assert_eq!(world.read(&id, "dir/a").await.as_deref(), Some("x"));
    world.done(&id, restore(one.generation)).await;
    go.send(()).unwrap();
    let refused = folder.await.unwrap().unwrap_err();
    assert!(matches!(refused, ControlError::NotNow { .. }), "{refused:?}");
    assert_eq!(world.read(&id, "dir/b").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_file_is_not_the_beginning_of_a_blank_home() {
    let world = World::new().await;
    let id = world.noted("memory").await;
    world.take(&id).await;
    world.stopped(&id).await;
    world.sim.lose_home(&id);
    // As long as it cannot come back nothing is taken in for it.
    world.copies.always("restore: begin", Fault::Away);
    let refused = world.control.write_file(&actor(), &id, "new".into(), whole("x")).await;
    assert!(matches!(refused, Err(ControlError::Failed(_))), "{refused:?}");
    assert_eq!(world.read(&id, "new").await, None);
    world.copies.heal();
    world.control.write_file(&actor(), &id, "new".into(), whole("x")).await.unwrap();
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("memory"));
    world.woken(&id).await;
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("memory"));
    assert_eq!(world.read(&id, "new").await.as_deref(), Some("x"));
}

#[tokio::test(start_paused = true)]
async fn what_is_said_at_any_step_of_a_restore_is_answered_once() {
    let steps = {
        let world = World::new().await;
        let id = world.noted("one").await;
        let one = world.take(&id).await;
        world.write(&id, NOTE, "two").await;
        world.copies.passed();
        world.done(&id, restore(one.generation)).await;
        world.copies.passed().len()
    };
    assert!(steps > 5, "{steps}");
    for nth in 0..steps {
        let world = World::new().await;
        let id = world.noted("one").await;
        let one = world.take(&id).await;
        world.write(&id, NOTE, "two").await;
        world.script.will().turn = Duration::from_secs(40);
        let first = world.say(&id, "in the middle").await;
        secs(5).await;
        world.copies.at(nth, Fault::Wait);
        let job = world.begin(&id, restore(one.generation)).await;
        world.copies.until_hung(1).await;
        let second = world.say(&id, "while it is done").await;
        world.script.will().turn = Duration::ZERO;
        secs(1).await;
        world.copies.go_on();
        let ended = world.ended(&job).await;
        assert_eq!(ended.state, JobState::Succeeded, "{nth}: {:?}", ended.failure);
        for message in [&first, &second] {
            assert_eq!(world.answer(message).await.state, Delivery::Answered, "{nth}");
        }
        world.settle(&id, State::Running).await;
        assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("one"), "{nth}");
        for text in ["in the middle", "while it is done"] {
            assert_eq!(world.script.times_given(text), 1, "{nth}: {text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_who_talks_without_pause_does_not_keep_a_restore_from_happening() {
    let world = World::new().await;
    let id = world.noted("one").await;
    let one = world.take(&id).await;
    world.write(&id, NOTE, "two").await;
    world.script.will().turn = Duration::from_secs(3);
    // Two at a time: there is always one that waits.
    let talk = async || loop {
        let message = world.say(&id, "again").await;
        assert_eq!(world.answer(&message).await.state, Delivery::Answered);
    };
    let restored = async {
        secs(5).await;
        let job = world.begin(&id, restore(one.generation)).await;
        tokio::time::timeout(Duration::from_secs(120), world.ended(&job)).await
    };
    let ended = tokio::select! {
        _ = talk() => unreachable!(),
        _ = talk() => unreachable!(),
        ended = restored => ended.expect("it has its turn"),
    };
    assert_eq!(ended.state, JobState::Succeeded, "{:?}", ended.failure);
    assert_eq!(world.read(&id, NOTE).await.as_deref(), Some("one"));
}
