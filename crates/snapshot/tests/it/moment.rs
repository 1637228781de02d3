//! The moment that a snapshot is of: what happens before the box is held, while it is, and after.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use smartbox_core::snapshot::Shelf;
use smartbox_core::snapshot::port::{Moment, Shelves, SnapshotError, TakeOrder, Takes};

use crate::boxes::{Deed, Scripted};
use crate::world::{World, noise, tree};

fn held(still: &Arc<Scripted>) -> Moment {
    Moment::Held(still.clone())
}

/// A home that is archived, so that its files are cold: what changes from now on is told by its date.
async fn archived(files: usize) -> World {
    let world = World::new();
    for n in 0..files {
        fs::write(world.home().join(format!("f{n}")), noise(n as u64 + 1, 5000)).unwrap();
    }
    world.driver().create(world.of.clone()).await.unwrap();
    world.take(1).await.unwrap();
    world
}

/// Gives a file a date of long ago; that it was given one is dated now.
fn touch(path: &Path, seconds: i64) {
    let then = Timespec { tv_sec: seconds, tv_nsec: 0 };
    let times = Timestamps { last_access: then, last_modification: then };
    utimensat(CWD, path, &times, AtFlags::empty()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_when_the_box_goes_on_is_not_in_the_snapshot() {
    let world = archived(3).await;
    let home = world.home();
    let still = Arc::new(Scripted {
        hold: Some(Box::new({
            let home = home.clone();
            move |_| Ok(fs::write(home.join("f0"), "of the moment")?)
        })),
        release: Some(Box::new({
            let home = home.clone();
            move |_| {
                fs::write(home.join("f0"), "of later")?;
                fs::write(home.join("new"), "of later")?;
                Ok(())
            }
        })),
        ..Scripted::default()
    });
    let taken = world.take_as(2, |order| order.moment = held(&still)).await.unwrap();
    assert_eq!(still.counts(), (1, 1));
    let back = world.back(&taken.snapshot.id).await;
    assert_eq!(fs::read_to_string(back.path().join("f0")).unwrap(), "of the moment");
    assert!(!back.path().join("new").exists());
}

/// A box that changes another file of those that are large and old each time that it is let go.
fn restless(world: &World) -> Deed {
    let home = world.home();
    Box::new(move |before| {
        let path = home.join(format!("large{before}"));
        fs::write(&path, format!("changed {before}"))?;
        Ok(())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cold_file_that_changes_before_it_is_read_makes_the_take_start_over() {
    let world = archived(1).await;
    // Too large to be copied unless they must be; they have no bytes.
    for n in 0..3 {
        let file = fs::File::create(world.home().join(format!("large{n}"))).unwrap();
        file.set_len((256 << 20) + 1 + n).unwrap();
    }
    let still = Arc::new(Scripted { release: Some(restless(&world)), ..Scripted::default() });
    let taken = world.take_as(2, |order| order.moment = held(&still)).await.unwrap();
    // Of the first try large0 was not as in its moment, of the second large1; the third copied all.
    assert_eq!(still.counts(), (3, 3));
    let back = world.back(&taken.snapshot.id).await;
    assert_eq!(fs::read_to_string(back.path().join("large0")).unwrap(), "changed 0");
    assert_eq!(fs::read_to_string(back.path().join("large1")).unwrap(), "changed 1");
    assert_eq!(fs::metadata(back.path().join("large2")).unwrap().size(), (256 << 20) + 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_home_that_never_rests_makes_no_snapshot() {
    let world = World::with(&[("a", b"read first"), ("large", b"")]);
    let home = world.home();
    // Those before it are kept elsewhere: the number of one that is gone may be the next one's, which would
    // then be taken for it, and copied whole like all that changed once.
    let aside = world.dir.path().join("aside");
    fs::create_dir(&aside).unwrap();
    let turn = Mutex::new(());
    // Too large to be copied whole; it has no bytes.
    let large = move |name: &str| {
        let _one = turn.lock().unwrap();
        let file = fs::File::create(home.join(name)).unwrap();
        file.set_len((256 << 20) + 1).unwrap();
        fs::hard_link(home.join("large"), aside.join(name)).unwrap();
        fs::rename(home.join(name), home.join("large")).unwrap();
    };
    large("new");
    world.driver().create(world.of.clone()).await.unwrap();
    // Whoever said that nothing runs was wrong: it is another file each time that something is read.
    let changes = Arc::new(AtomicU64::new(0));
    let taken = world.take_as(1, |order: &mut TakeOrder| {
        let changes = changes.clone();
        order.meter = Some(Arc::new(move |_| {
            let n = changes.fetch_add(1, Ordering::SeqCst);
            large(&format!("new{n}"));
        }));
    });
    let taken = taken.await;
    assert!(matches!(taken, Err(SnapshotError::Hole { .. })), "{taken:?}");
    assert_eq!(world.driver().list(world.of.clone()).await.unwrap(), Shelf::NoneYet);
    let taken = world.take(2).await.unwrap();
    assert_eq!(world.restored(&taken.snapshot.id).await, tree(&world.home()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_that_cannot_be_held_is_let_go_and_no_snapshot_is_taken() {
    let world = archived(1).await;
    let refuse: Deed = Box::new(|_| Err("no freezer".into()));
    let still = Arc::new(Scripted { hold: Some(refuse), ..Scripted::default() });
    let taken = world.take_as(2, |order| order.moment = held(&still)).await;
    assert!(matches!(taken, Err(SnapshotError::Broken { .. })), "{taken:?}");
    assert_eq!(still.counts(), (1, 1), "it may be half held");
    let refuse: Deed = Box::new(|_| Err("stuck".into()));
    let still = Arc::new(Scripted { release: Some(refuse), ..Scripted::default() });
    let taken = world.take_as(3, |order| order.moment = held(&still)).await;
    assert!(matches!(taken, Err(SnapshotError::Broken { .. })), "it is not kept quiet: {taken:?}");
    let Shelf::Some(all) = world.driver().list(world.of.clone()).await.unwrap() else { panic!() };
    assert_eq!(all.len(), 1);
    assert!(!world.dir.path().join("scratch").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_copied_before_is_not_copied_while_the_box_is_held() {
    let world = archived(1).await;
    let home = world.home();
    fs::write(home.join("early"), noise(8, 100_000)).unwrap();
    fs::write(home.join("late"), "before").unwrap();
    let scratch = world.dir.path().join("scratch");
    let inodes = Arc::new(std::sync::Mutex::new(Vec::new()));
    let look = {
        let (scratch, inodes) = (scratch.clone(), inodes.clone());
        move || {
            let all =
                fs::read_dir(&scratch).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
            let mut all: Vec<_> =
                all.map(|meta| (meta.size(), meta.ctime(), meta.ctime_nsec())).collect();
            all.sort_unstable();
            inodes.lock().unwrap().push(all);
        }
    };
    let still = Arc::new(Scripted {
        hold: Some(Box::new({
            let look = look.clone();
            move |_| {
                look();
                Ok(fs::write(home.join("late"), "in the moment")?)
            }
        })),
        release: Some(Box::new(move |_| {
            look();
            Ok(())
        })),
        ..Scripted::default()
    });
    // A date that the next change could share would make it be copied again.
    let last = fs::metadata(world.home().join("late")).unwrap();
    while fs::metadata(world.home().join("f0")).map(|f| f.ctime_nsec()).unwrap()
        == last.ctime_nsec()
    {
        touch(&world.home().join("f0"), 1);
    }
    let taken = world.take_as(2, |order| order.moment = held(&still)).await.unwrap();
    let back = world.back(&taken.snapshot.id).await;
    assert_eq!(fs::read_to_string(back.path().join("late")).unwrap(), "in the moment");
    let looks = inodes.lock().unwrap();
    let large = |n: usize| looks[n].iter().find(|(size, ..)| *size == 100_000).copied();
    assert!(large(0).is_some(), "it was there before the box was held");
    assert_eq!(large(0), large(1), "and was not written again");
}
