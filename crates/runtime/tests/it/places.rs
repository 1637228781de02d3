//! Homes as wholes: what every driver must do.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use smartbox_core::home::HomeOf;
use smartbox_core::home::place::Places;
use smartbox_core::home::port::{FileError, Homes};
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::Shift;
use smartbox_core::sandbox::port::{Kept, Runtime};
use smartbox_runtime::Profile;
use smartbox_runtime::sim::Sim;

use crate::bench::{Bench, new_id, spec};

fn of(id: &SmartboxId) -> HomeOf {
    let spec = spec(id, 1, "/nowhere".into());
    HomeOf { smartbox: id.clone(), slot: spec.slot, disk_bytes: spec.limits.disk_bytes }
}

async fn write<D: Homes + ?Sized>(driver: &D, id: &SmartboxId, path: &str, text: &str) {
    let order = smartbox_core::home::WriteOrder { parents: true, ..Default::default() };
    let mut draft = driver.write(of(id), path.into(), order).await.unwrap();
    draft.add(text.to_owned().into()).await.unwrap();
    draft.place().await.unwrap();
}

async fn size<D: Homes + ?Sized>(driver: &D, id: &SmartboxId, path: &str) -> Option<u64> {
    match driver.look(of(id), path.into()).await {
        Ok(entry) => Some(entry.size),
        Err(FileError::Absent) => None,
        Err(other) => panic!("{path}: {other:?}"),
    }
}

pub(crate) async fn suite<D: Homes + Places + Runtime>(driver: &D, id: &SmartboxId) {
    assert_eq!(driver.place(of(id)).await.unwrap(), None, "it was never made");
    assert!(matches!(driver.adopt(of(id)).await, Err(FileError::Absent)), "nothing is staged");
    write(driver, id, "notes/old", "one").await;
    let place = driver.place(of(id)).await.unwrap().unwrap();
    assert_eq!(fs::read(place.home.join("notes/old")).unwrap(), b"one");
    assert_eq!(place.home.parent(), Some(place.root.as_path()));
    assert_eq!(place.scratch.parent(), Some(place.root.as_path()));
    if let Some((uid, _)) = place.user {
        assert_eq!(fs::metadata(&place.scratch).unwrap().uid(), uid);
    }

    // What an earlier one left on the stage is gone.
    let stage = driver.stage(of(id)).await.unwrap();
    fs::create_dir(stage.join("left")).unwrap();
    let stage = driver.stage(of(id)).await.unwrap();
    assert_eq!(fs::read_dir(&stage).unwrap().count(), 0);
    fs::create_dir(stage.join("memory")).unwrap();
    fs::write(stage.join("memory/new"), "second").unwrap();
    assert_eq!(size(driver, id, "notes/old").await, Some(3), "the home is as it was meanwhile");
    driver.adopt(of(id)).await.unwrap();
    assert_eq!(size(driver, id, "notes/old").await, None);
    assert_eq!(size(driver, id, "memory/new").await, Some(6));
    // Again, without a stage: the former home does not come back.
    assert!(matches!(driver.adopt(of(id)).await, Err(FileError::Absent)));
    assert_eq!(size(driver, id, "memory/new").await, Some(6));
    let place = driver.place(of(id)).await.unwrap().unwrap();
    assert_eq!(fs::read(place.home.join("memory/new")).unwrap(), b"second");
    assert!(!place.home.join("notes").exists());
    write(driver, id, "memory/more", "by the box").await;

    driver.start(spec_of(driver, id)).await.unwrap();
    let stage = driver.stage(of(id)).await.unwrap();
    fs::write(stage.join("third"), "third").unwrap();
    let refused = driver.adopt(of(id)).await;
    assert!(matches!(refused, Err(FileError::Broken { .. })), "a sandbox uses it: {refused:?}");
    assert_eq!(size(driver, id, "memory/new").await, Some(6));
    driver.shift(id.clone(), Shift::Remove).await.unwrap();
    driver.adopt(of(id)).await.unwrap();
    assert_eq!(size(driver, id, "third").await, Some(5));
    driver.kept(id.clone(), Kept::Forget).await.unwrap();
    assert_eq!(driver.place(of(id)).await.unwrap(), None);
}

fn spec_of<D: Runtime>(_: &D, id: &SmartboxId) -> smartbox_core::sandbox::SandboxSpec {
    spec(id, 1, std::env::temp_dir())
}

#[tokio::test]
async fn the_simulated_homes_are_wholes() {
    let sim = Sim::new(Arc::new(|_, _| Box::pin(async {})));
    suite(&*sim, &new_id()).await;
}

#[tokio::test]
async fn a_simulated_home_that_did_not_change_keeps_its_files() {
    let (sim, id) = (Sim::new(Arc::new(|_, _| Box::pin(async {}))), new_id());
    write(&*sim, &id, "same", "1").await;
    write(&*sim, &id, "other", "1").await;
    write(&*sim, &id, "gone/deep/file", "1").await;
    let home = sim.place(of(&id)).await.unwrap().unwrap().home;
    let stamp = |name: &str| {
        let meta = fs::metadata(home.join(name)).unwrap();
        (meta.ino(), meta.ctime(), meta.ctime_nsec())
    };
    let same = stamp("same");
    write(&*sim, &id, "other", "2").await;
    sim.put_file(&id, "gone/deep/file", None);
    sim.place(of(&id)).await.unwrap();
    assert_eq!(stamp("same"), same);
    assert_eq!(fs::read(home.join("other")).unwrap(), b"2");
    assert!(!home.join("gone").exists());
    sim.lose_home(&id);
    assert_eq!(sim.place(of(&id)).await.unwrap(), None);
}

#[tokio::test]
async fn the_native_homes_are_wholes() {
    let bench = Bench::new(Profile::Auto).await;
    suite(&bench.native, &new_id()).await;
    bench.clean().await;
}

/// A platform that died between any two steps: the next one removes what lies beside the home.
#[tokio::test]
async fn what_a_dead_platform_left_beside_a_home_is_swept() {
    let bench = Bench::new(Profile::Auto).await;
    let id = new_id();
    write(&bench.native, &id, "old", "1").await;
    let stage = bench.native.stage(of(&id)).await.unwrap();
    fs::write(stage.join("half"), "1").unwrap();
    let place = bench.native.place(of(&id)).await.unwrap().unwrap();
    fs::write(place.scratch.join("copy"), "1").unwrap();
    let next = smartbox_runtime::Native::open(bench.config.clone()).await.unwrap();
    assert!(!stage.exists() && !place.scratch.exists());
    assert!(matches!(next.adopt(of(&id)).await, Err(FileError::Absent)));
    assert_eq!(size(&next, &id, "old").await, Some(1));
    bench.clean().await;
}

/// The box's user finds everything its own, and may write there.
#[tokio::test]
async fn a_box_lives_in_the_home_that_it_was_given() {
    let bench = Bench::new(Profile::Auto).await;
    let id = new_id();
    let stage = bench.native.stage(of(&id)).await.unwrap();
    fs::create_dir(stage.join("memory")).unwrap();
    fs::write(stage.join("memory/note"), "remembered").unwrap();
    bench.native.adopt(of(&id)).await.unwrap();
    bench.native.start(bench.spec(&id, 1)).await.unwrap();
    let line = "cat memory/note; echo x > memory/own; mkdir made; ls -a";
    let says = bench.says(&id, &["/bin/sh", "-c", line]).await;
    assert!(says.starts_with("remembered") && says.contains("made"), "{says}");
    bench.clean().await;
}
