//! There and back.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::{Arc, Mutex};

use smartbox_core::snapshot::port::{Meter, Shelves, SnapshotError, Takes};
use smartbox_core::snapshot::{RepositoryKey, RepositoryOf, Shelf};

use crate::world::{NOW, World, furnish, noise, tree};

#[tokio::test]
async fn what_was_taken_comes_back_byte_for_byte() {
    let world = World::new();
    furnish(&world.home());
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    let taken = world.take(1).await.unwrap();
    assert_eq!(taken.left_out, 0);
    assert_eq!((taken.snapshot.taken, taken.snapshot.claim), (NOW, world.order(1).claim));
    assert_eq!(world.restored(&taken.snapshot.id).await, tree(&world.home()));
    let listed = driver.list(world.of.clone()).await.unwrap();
    assert_eq!(listed, Shelf::Some(vec![taken.snapshot]));
    assert_eq!(driver.verify(world.of.clone(), None).await.unwrap().snapshots, 1);
}

#[tokio::test]
async fn a_restore_tells_how_far_it_is() {
    let world = World::new();
    for n in 0..3 {
        fs::write(world.home().join(format!("f{n}")), noise(n, 3_000_000)).unwrap();
    }
    world.driver().create(world.of.clone()).await.unwrap();
    let id = world.take(1).await.unwrap().snapshot.id;
    let told = Arc::new(Mutex::new(Vec::new()));
    let meter: Meter = Arc::new({
        let told = told.clone();
        move |bytes| told.lock().unwrap().push(bytes)
    });
    let into = tempfile::tempdir().unwrap();
    let path = into.path().to_owned();
    world.driver().restore(world.of.clone(), id, path, Some(meter)).await.unwrap();
    let told = told.lock().unwrap();
    assert!(told.len() > 3, "{told:?}");
    assert_eq!(told.iter().max(), Some(&9_000_000));
}

#[tokio::test]
async fn an_empty_home_is_a_snapshot_too() {
    let world = World::new();
    world.driver().create(world.of.clone()).await.unwrap();
    let taken = world.take(1).await.unwrap();
    assert!(world.restored(&taken.snapshot.id).await.is_empty());
}

#[tokio::test]
async fn an_older_one_stays_what_it_was() {
    let world = World::new();
    furnish(&world.home());
    world.driver().create(world.of.clone()).await.unwrap();
    let before = tree(&world.home());
    let first = world.take(1).await.unwrap().snapshot;
    fs::write(world.home().join("a/b/large"), noise(2, 1_000_000)).unwrap();
    fs::remove_file(world.home().join("one")).unwrap();
    // A file becomes a directory, and a directory a link.
    fs::remove_file(world.home().join("a.txt")).unwrap();
    fs::create_dir(world.home().join("a.txt")).unwrap();
    fs::remove_dir(world.home().join("a.dir")).unwrap();
    symlink("a", world.home().join("a.dir")).unwrap();
    let second = world.take(2).await.unwrap().snapshot;
    assert_eq!(world.restored(&first.id).await, before);
    assert_eq!(world.restored(&second.id).await, tree(&world.home()));
    let newest = world.driver().verify(world.of.clone(), Some(second.id)).await.unwrap();
    assert_eq!(newest.snapshots, 1);
}

#[tokio::test]
async fn a_change_within_one_tick_of_the_clock_is_not_missed() {
    let world = World::new();
    let file = world.home().join("note");
    fs::write(&file, "first").unwrap();
    world.driver().create(world.of.clone()).await.unwrap();
    // As if it were read in the very second in which it was written.
    let mut order = world.order(1);
    order.at = smartbox_core::time::Timestamp(
        i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap(),
    );
    world.driver().take(world.of.clone(), order).await.unwrap();
    let stamp = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, "later").unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(stamp).unwrap();
    let second = world.take(2).await.unwrap().snapshot;
    assert_eq!(world.restored(&second.id).await, tree(&world.home()));
}

#[tokio::test]
async fn what_is_left_out_is_left_out_with_all_beneath() {
    let world = World::new();
    fs::create_dir_all(world.home().join("cache/deep")).unwrap();
    fs::write(world.home().join("cache/deep/x"), "x").unwrap();
    fs::write(world.home().join("kept"), "x").unwrap();
    world.driver().create(world.of.clone()).await.unwrap();
    let mut order = world.order(1);
    order.exclude = vec!["cache".to_owned()];
    let taken = world.driver().take(world.of.clone(), order).await.unwrap();
    let names: Vec<Vec<u8>> = world.restored(&taken.snapshot.id).await.into_keys().collect();
    assert_eq!(names, [b"kept".to_vec()]);
}

#[tokio::test]
async fn none_yet_and_not_there_and_not_readable_are_three_answers() {
    let world = World::new();
    let driver = world.driver();
    let missing = driver.list(world.of.clone()).await.unwrap_err();
    assert!(matches!(missing, SnapshotError::Missing { .. }), "{missing:?}");
    driver.create(world.of.clone()).await.unwrap();
    assert_eq!(driver.list(world.of.clone()).await.unwrap(), Shelf::NoneYet);

    let other = RepositoryOf { key: RepositoryKey::new([9; 64]), ..world.of.clone() };
    let sealed = driver.list(other).await.unwrap_err();
    assert!(matches!(sealed, SnapshotError::Corrupt { .. }), "{sealed:?}");

    let again = driver.create(world.of.clone()).await.unwrap_err();
    assert!(matches!(again, SnapshotError::Exists { .. }), "{again:?}");
    assert_eq!(driver.list(world.of.clone()).await.unwrap(), Shelf::NoneYet, "as it was");
}

#[tokio::test]
async fn nothing_is_restored_over_what_is_there() {
    let world = World::new();
    world.driver().create(world.of.clone()).await.unwrap();
    let taken = world.take(1).await.unwrap().snapshot;
    let into = world.dir.path().join("into");
    let driver = world.driver();
    let restore = || driver.restore(world.of.clone(), taken.id.clone(), into.clone(), None);
    fs::create_dir(&into).unwrap();
    fs::write(into.join("mine"), "mine").unwrap();
    assert!(matches!(restore().await, Err(SnapshotError::Occupied)));
    assert_eq!(fs::read(into.join("mine")).unwrap(), b"mine");
    // Nor through a link.
    fs::remove_dir_all(&into).unwrap();
    fs::create_dir(world.dir.path().join("elsewhere")).unwrap();
    symlink("elsewhere", &into).unwrap();
    assert!(matches!(restore().await, Err(SnapshotError::Occupied)));

    let unknown = "ab".repeat(32).parse().unwrap();
    let fresh = world.dir.path().join("fresh");
    fs::create_dir(&fresh).unwrap();
    let missing = world.driver().restore(world.of.clone(), unknown, fresh, None).await;
    assert!(matches!(missing, Err(SnapshotError::Missing { .. })), "{missing:?}");
}

#[tokio::test]
async fn storage_holds_nothing_that_can_be_read() {
    let world = World::new();
    let phrase = "a sentence that stands in no other place";
    fs::write(world.home().join("telling name"), phrase).unwrap();
    world.driver().create(world.of.clone()).await.unwrap();
    world.take(1).await.unwrap();
    let mut files = 0;
    for (name, thing) in tree(&world.storage()) {
        files += 1;
        let text = format!("{} {thing:?}", String::from_utf8_lossy(&name));
        assert!(!text.contains("telling"), "{text}");
    }
    assert!(files > 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_make_a_repository_one_does() {
    let world = World::new();
    let asked: Vec<_> = (0..8)
        .map(|_| {
            let (driver, of) = (world.driver(), world.of.clone());
            tokio::spawn(async move { driver.create(of).await })
        })
        .collect();
    let mut made = 0;
    for one in asked {
        match one.await.unwrap() {
            Ok(()) => made += 1,
            Err(SnapshotError::Exists { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(world.driver().list(world.of.clone()).await.unwrap(), Shelf::NoneYet);
}
