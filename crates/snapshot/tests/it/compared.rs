//! A home that is compared with a snapshot while its box is hostile: nothing of the host is read, and
//! nobody waits for ever.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use smartbox_core::snapshot::SnapshotId;
use smartbox_core::snapshot::port::{Against, Change, Difference, Pages, SnapshotError, Takes};

use crate::world::World;

/// Nothing here takes a second; what hangs would hang for ever.
const LONG: Duration = Duration::from_secs(120);
const SAME: &[u8] = b"the same bytes in the home and on the host";

async fn diff(world: &World, id: &SnapshotId, limit: usize) -> Result<Difference, SnapshotError> {
    let against = Against::Home(world.order(1).home, Vec::new());
    let driver = world.driver();
    let found = driver.diff(world.of.clone(), id.clone(), against, limit);
    tokio::time::timeout(LONG, found).await.expect("it hangs")
}

/// So that reading it shows, also where times of access are kept rarely.
fn never_read(path: &Path) -> i64 {
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let times = fs::FileTimes::new().set_accessed(old);
    File::options().write(true).open(path).unwrap().set_times(times).unwrap();
    fs::metadata(path).unwrap().atime()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_change_hands_while_they_are_compared_lead_nowhere() {
    const FILES: usize = 20;
    let world = World::new();
    let home = world.home();
    let outside = world.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let canary = outside.join("file");
    fs::write(&canary, SAME).unwrap();
    for n in 0..FILES {
        fs::create_dir(home.join(format!("d{n}"))).unwrap();
        fs::write(home.join(format!("d{n}/file")), SAME).unwrap();
    }
    world.driver().create(world.of.clone()).await.unwrap();
    let taken = world.take(1).await.unwrap().snapshot.id;
    // Dated otherwise: only their contents tell that they are the same.
    for n in 0..FILES {
        let file = File::options().write(true).open(home.join(format!("d{n}/file"))).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + LONG).unwrap();
    }
    let untouched = never_read(&canary);
    let stop = Arc::new(AtomicBool::new(false));
    let swapper = std::thread::spawn({
        let (home, outside, stop) = (home.clone(), outside.clone(), stop.clone());
        move || {
            let put = |at: &Path, what: usize| match what % 3 {
                0 => symlink(outside.join("file"), at).unwrap(),
                1 => mknodat(CWD, at, FileType::Fifo, Mode::RWXU, 0).unwrap(),
                _ => {
                    let device = makedev(5, 0);
                    // Only root can make one.
                    let _ = mknodat(CWD, at, FileType::CharacterDevice, Mode::RWXU, device);
                }
            };
            let mut turn = 0;
            while !stop.load(Ordering::Relaxed) {
                for n in 0..FILES {
                    let (dir, spare) = (home.join(format!("d{n}")), home.join(format!("k{n}")));
                    fs::rename(&dir, &spare).unwrap();
                    symlink(&outside, &dir).unwrap();
                    fs::remove_file(&dir).unwrap();
                    fs::rename(&spare, &dir).unwrap();
                    let (file, spare) = (dir.join("file"), dir.join("spare"));
                    fs::rename(&file, &spare).unwrap();
                    put(&file, turn);
                    let _ = fs::remove_file(&file);
                    fs::rename(&spare, &file).unwrap();
                    turn += 1;
                }
            }
        }
    });
    for _ in 0..60 {
        match diff(&world, &taken, 1000).await {
            Ok(found) => assert!(found.total <= 6 * FILES as u64, "{found:?}"),
            Err(SnapshotError::Hole { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    stop.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
    assert_eq!(fs::metadata(&canary).unwrap().atime(), untouched, "the host's file was read");
    let found = diff(&world, &taken, 1000).await.unwrap();
    assert!(!found.changes.iter().any(|(_, change)| *change == Change::Removed), "{found:?}");
    // What stays a link to the same bytes is another thing all the same.
    let file = home.join("d0/file");
    fs::remove_file(&file).unwrap();
    symlink(&canary, &file).unwrap();
    let found = diff(&world, &taken, 1000).await.unwrap();
    assert!(found.changes.iter().any(|(path, _)| path.0 == b"d0/file"), "{found:?}");
    assert_eq!(fs::metadata(&canary).unwrap().atime(), untouched, "the host's file was read");
    // A look of our own does show.
    fs::read(&canary).unwrap();
    assert_ne!(
        fs::metadata(&canary).unwrap().atime(),
        untouched,
        "nothing could have been seen here"
    );
}

#[tokio::test]
async fn a_pipe_in_a_file_s_place_is_not_waited_for() {
    let world = World::with(&[("file", SAME), ("device", SAME)]);
    world.driver().create(world.of.clone()).await.unwrap();
    let taken = world.take(1).await.unwrap().snapshot.id;
    for name in ["file", "device"] {
        fs::remove_file(world.home().join(name)).unwrap();
    }
    mknodat(CWD, world.home().join("file"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let terminal = makedev(5, 0);
    let device = world.home().join("device");
    let _ = mknodat(CWD, device, FileType::CharacterDevice, Mode::RWXU, terminal);
    let found = diff(&world, &taken, 10).await.unwrap();
    assert!(found.changes.iter().all(|(_, change)| *change == Change::Removed), "{found:?}");
    assert_eq!(found.total, 2, "what is no file is not in a snapshot, either");
}

#[tokio::test]
async fn a_home_without_a_bottom_is_refused_and_many_names_are_counted() {
    const NAMES: u64 = 20_000;
    let world = World::with(&[("file", SAME)]);
    world.driver().create(world.of.clone()).await.unwrap();
    let taken = world.take(1).await.unwrap().snapshot.id;
    fs::create_dir(world.home().join("many")).unwrap();
    for n in 0..NAMES {
        File::create(world.home().join(format!("many/{n:0>200}"))).unwrap();
    }
    let found = diff(&world, &taken, 10).await.unwrap();
    assert_eq!((found.changes.len(), found.total), (10, NAMES + 1));
    let mut at = world.home();
    for _ in 0..200 {
        at.push("d");
        fs::create_dir(&at).unwrap();
    }
    let refused = diff(&world, &taken, 10).await;
    assert!(matches!(refused, Err(SnapshotError::Hole { .. })), "{refused:?}");
}
