//! Files of homes: nobody is woken, nothing half-made is seen.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use smartbox_control::{ControlError, FileDone, FileOp, Upload};
use smartbox_core::BoxStream;
use smartbox_core::home::port::FileError;
use smartbox_core::home::{FileChange, FilePath, Precondition, WriteOrder};
use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::{Desired, State};

use crate::world::{World, actor};

fn body(pieces: &[&'static str]) -> BoxStream<'static, std::io::Result<Bytes>> {
    let pieces: Vec<_> =
        pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
    stream::iter(pieces).boxed()
}

fn upload(pieces: &[&'static str]) -> Upload {
    let order = WriteOrder { parents: true, ..WriteOrder::default() };
    Upload { order, body: body(pieces), len: None, digest: None }
}

async fn asleep() -> (World, SmartboxId) {
    let world = World::new().await;
    let id = world.new_box("pa", Desired::Off).await.id;
    world.settle(&id, State::Stopped).await;
    (world, id)
}

async fn content(world: &World, id: &SmartboxId, path: &str) -> Result<Bytes, ControlError> {
    let file = world.control.open_file(id, path.into()).await?;
    let pieces: Vec<Bytes> = file.pieces(0, file.entry().size).try_collect().await?;
    Ok(pieces.concat().into())
}

#[tokio::test(start_paused = true)]
async fn files_of_a_sleeping_box_are_its_files_and_wake_nobody() {
    let (world, id) = asleep().await;
    let written = world
        .control
        .write_file(&actor(), &id, "notes/a".into(), upload(&["one ", "two"]))
        .await
        .unwrap();
    assert_eq!(written.entry.size, 7);
    assert_eq!(content(&world, &id, "notes/a").await.unwrap(), "one two");
    assert_eq!(world.control.view(&id).await.unwrap().row.state, State::Stopped);
    assert_eq!(world.control.view(&id).await.unwrap().row.epoch, 0, "it never had a sandbox");
    let file = world.control.open_file(&id, "notes/a".into()).await.unwrap();
    assert_eq!(world.control.digest(&*file).await.unwrap(), written.digest);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_not_what_was_announced_changes_nothing() {
    let (world, id) = asleep().await;
    let control = &world.control;
    let good =
        control.write_file(&actor(), &id, "f".into(), upload(&["good"])).await.unwrap().digest;
    let wrong = |upload: Upload| async {
        let refused = control.write_file(&actor(), &id, "f".into(), upload).await.unwrap_err();
        assert_eq!(content(&world, &id, "f").await.unwrap(), "good");
        refused
    };
    let digest = Upload { digest: Some(good), ..upload(&["bad"]) };
    assert!(matches!(wrong(digest).await, ControlError::Digest));
    for len in [2, 4] {
        let cut = wrong(Upload { len: Some(len), ..upload(&["bad"]) }).await;
        assert!(matches!(cut, ControlError::CutOff { .. }), "{cut:?}");
    }
    let broken = stream::iter([Ok(Bytes::from_static(b"ba")), Err(std::io::Error::other("gone"))]);
    let cut = wrong(Upload { body: broken.boxed(), ..upload(&[]) }).await;
    assert!(matches!(cut, ControlError::CutOff { .. }), "{cut:?}");
    // Nobody sends any more, and nobody hangs up.
    let silent = body(&["ba"]).chain(stream::pending()).boxed();
    let cut = wrong(Upload { body: silent, ..upload(&[]) }).await;
    assert!(matches!(cut, ControlError::CutOff { .. }), "{cut:?}");
    let digest = Upload { digest: Some(good), ..upload(&["go", "od"]) };
    control.write_file(&actor(), &id, "f".into(), digest).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn each_operation_of_a_batch_has_its_own_result() {
    let (world, id) = asleep().await;
    let path = |text: &str| FilePath::from(text);
    let order = WriteOrder { parents: true, ..WriteOrder::default() };
    let remove = FileChange::Remove { recursive: false, condition: Precondition::Any };
    let ops = vec![
        FileOp::Exists(path("a/b")),
        FileOp::Write(path("a/b"), order.clone(), Bytes::from_static(b"x")),
        FileOp::Read(path("../../etc/passwd")),
        FileOp::Read(path("a/b")),
        FileOp::Look(path("a/b")),
        FileOp::Change(path("a/b"), remove),
        FileOp::Exists(path("a/b")),
        FileOp::Look(path("a/b")),
    ];
    let done = world.control.batch(&actor(), &id, ops).await.unwrap();
    assert!(matches!(done[0], Ok(FileDone::Exists(false))), "{done:?}");
    assert!(matches!(done[1], Ok(FileDone::Entry(_))), "{done:?}");
    assert!(matches!(done[2], Err(ControlError::File(FileError::Bad { .. }))), "{done:?}");
    assert!(matches!(&done[3], Ok(FileDone::Content(_, bytes)) if bytes == "x"), "{done:?}");
    assert!(matches!(done[4], Ok(FileDone::Entry(_))), "{done:?}");
    assert!(matches!(done[5], Ok(FileDone::Removed)), "{done:?}");
    assert!(matches!(done[6], Ok(FileDone::Exists(false))), "{done:?}");
    assert!(matches!(done[7], Err(ControlError::File(FileError::Absent))), "{done:?}");

    let many = (0..51).map(|_| FileOp::Exists(path("x"))).collect();
    let refused = world.control.batch(&actor(), &id, many).await;
    assert!(matches!(refused, Err(ControlError::Refused { .. })), "{refused:?}");
    // Reads are bounded together, not one by one.
    let long = Bytes::from(vec![0; 5 << 20]);
    let ops = vec![
        FileOp::Write(path("long"), order, long),
        FileOp::Read(path("long")),
        FileOp::Read(path("long")),
    ];
    let done = world.control.batch(&actor(), &id, ops).await.unwrap();
    assert!(done[1].is_ok() && matches!(done[2], Err(ControlError::Refused { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_folder_goes_out_and_comes_in_again() {
    let (world, id) = asleep().await;
    let long = format!("deep/{}/file", "d".repeat(120));
    for (path, text) in [("src/a", "a"), ("src/sub/b", ""), (&*format!("src/{long}"), "long")] {
        let upload = upload(&[text]);
        world.control.write_file(&actor(), &id, path.into(), upload).await.unwrap();
    }
    let make = FileChange::MakeDirectory { parents: true };
    world.control.change_file(&actor(), &id, "src/empty".into(), make).await.unwrap();
    let packed = world.control.pack(&id, "src".into()).await.unwrap();
    let pieces: Vec<Bytes> = packed.try_collect().await.unwrap();
    let bytes = pieces.concat();
    assert_eq!(bytes.len() % 512, 0);
    // Another reader of archives agrees.
    let mut archive = tar::Archive::new(&bytes[..]);
    let names: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|e| e.unwrap().path().unwrap().display().to_string())
        .collect();
    for name in ["a", "sub/", "sub/b", "empty/", &long] {
        assert!(names.iter().any(|found| found == name), "{name} in {names:?}");
    }
    for piece in [100, 1 << 20] {
        let pieces: Vec<_> =
            bytes.chunks(piece).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let arriving = stream::iter(pieces).boxed();
        let done = world.control.unpack(&actor(), &id, "to/here".into(), arriving).await.unwrap();
        assert_eq!((done.files, done.bytes), (3, 5));
    }
    assert_eq!(content(&world, &id, &format!("to/here/{long}")).await.unwrap(), "long");
    assert!(world.control.file(&id, "to/here/empty".into()).await.is_ok());
    let no_folder = world.control.pack(&id, "src/a".into()).await.map(drop);
    assert!(matches!(no_folder, Err(ControlError::File(FileError::Unfit { .. }))), "{no_folder:?}");
}

#[tokio::test(start_paused = true)]
async fn a_box_that_is_removed_has_no_files_any_more() {
    let (world, id) = asleep().await;
    let (send, receive) = tokio::sync::mpsc::unbounded_channel();
    let pieces = stream::unfold(receive, async |mut receive| {
        let piece: Bytes = receive.recv().await?;
        Some((Ok(piece), receive))
    });
    let slow = Upload { body: pieces.boxed(), ..upload(&[]) };
    let (control, of) = (world.control.clone(), id.clone());
    let uploading =
        tokio::spawn(async move { control.write_file(&actor(), &of, "f".into(), slow).await });
    send.send(Bytes::from_static(b"x")).unwrap();
    tokio::task::yield_now().await;
    world.control.remove(&actor(), &id).await.unwrap();
    let gone = async {
        while world.control.view(&id).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), gone).await.unwrap();
    drop(send);
    let ended = uploading.await.unwrap();
    assert!(matches!(ended, Err(ControlError::Missing { .. })), "{ended:?}");
    let write = world.control.write_file(&actor(), &id, "f".into(), upload(&["x"])).await;
    assert!(matches!(write, Err(ControlError::Missing { .. })), "{write:?}");
    assert_eq!(world.sim.file(&id, "f"), None);
}
