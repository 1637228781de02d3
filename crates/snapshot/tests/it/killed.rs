//! A reader that dies: at its start, while the box is held, after that, and while files are read.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use smartbox_core::snapshot::port::{Moment, SnapshotError, Takes};
use smartbox_snapshot::Restic;

use crate::boxes::{Deed, Scripted};
use crate::world::{World, furnish, reader, tree};

/// The readers of this test: they have a word more on their command line.
fn readers(word: &str) -> Vec<Pid> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().map_while(Result::ok) {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // It may be gone by now.
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if line.split(|byte| *byte == 0).any(|one| one == word.as_bytes()) {
            found.extend(Pid::from_raw(pid));
        }
    }
    found
}

fn kill(word: &str) -> usize {
    let all = readers(word);
    all.iter().filter(|pid| kill_process(**pid, Signal::KILL).is_ok()).count()
}

fn marked(world: &World, word: &str) -> Restic {
    let mut command = reader();
    command.push(word.into());
    Restic::directory(&world.storage()).unwrap().with_reader(command)
}

async fn is_well(world: &World, generation: u64, word: &str) {
    let taken = world.take(generation).await.unwrap();
    assert_eq!(world.restored(&taken.snapshot.id).await, tree(&world.home()));
    assert!(!world.dir.path().join("scratch").exists(), "nothing is left of a copy");
    assert_eq!(readers(word), [], "nor of a reader");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_is_killed_leaves_no_snapshot_no_copies_and_no_held_box() {
    let deed = |word: &'static str| -> Deed {
        Box::new(move |_| {
            assert_eq!(kill(word), 1, "it runs");
            Ok(())
        })
    };
    for (word, at_hold) in [("killed-while-held", true), ("killed-after", false)] {
        let world = World::new();
        furnish(&world.home());
        world.driver().create(world.of.clone()).await.unwrap();
        let (hold, release) =
            if at_hold { (Some(deed(word)), None) } else { (None, Some(deed(word))) };
        let still = Arc::new(Scripted { hold, release, ..Scripted::default() });
        let mut order = world.order(1);
        order.moment = Moment::Held(still.clone());
        let taken = marked(&world, word).take(world.of.clone(), order).await;
        assert!(matches!(taken, Err(SnapshotError::Broken { .. })), "{word}: {taken:?}");
        assert_eq!(still.counts(), (1, 1), "{word}");
        is_well(&world, 2, word).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_is_killed_while_files_are_read_leaves_no_snapshot() {
    const WORD: &str = "killed-while-read";
    let world = World::new();
    furnish(&world.home());
    world.driver().create(world.of.clone()).await.unwrap();
    let killed = Arc::new(AtomicBool::new(false));
    let mut order = world.order(1);
    order.meter = Some(Arc::new({
        let killed = killed.clone();
        move |_| {
            if !killed.swap(true, Ordering::SeqCst) {
                assert_eq!(kill(WORD), 1);
            }
        }
    }));
    let taken = marked(&world, WORD).take(world.of.clone(), order).await;
    assert!(killed.load(Ordering::SeqCst));
    assert!(matches!(taken, Err(SnapshotError::Broken { .. })), "{taken:?}");
    is_well(&world, 2, WORD).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_is_killed_at_any_time_leaves_nothing() {
    const WORD: &str = "killed-at-any-time";
    let world = World::new();
    furnish(&world.home());
    let driver = marked(&world, WORD);
    driver.create(world.of.clone()).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let killer = std::thread::spawn({
        let stop = stop.clone();
        move || {
            let mut killed = 0;
            while !stop.load(Ordering::SeqCst) {
                killed += kill(WORD);
            }
            killed
        }
    });
    let mut failed = 0;
    for generation in 1..=20 {
        let taken = driver.take(world.of.clone(), world.order(generation)).await;
        failed += u32::from(taken.is_err());
        if let Err(error) = taken {
            assert!(matches!(error, SnapshotError::Broken { .. }), "{error:?}");
        }
    }
    stop.store(true, Ordering::SeqCst);
    assert!(killer.join().unwrap() > 0 && failed > 0);
    is_well(&world, 30, WORD).await;
}

#[tokio::test]
async fn what_a_dead_platform_left_in_scratch_is_in_nobodys_way() {
    let world = World::new();
    furnish(&world.home());
    world.driver().create(world.of.clone()).await.unwrap();
    let scratch = world.dir.path().join("scratch");
    fs::create_dir_all(scratch.join("deep/er")).unwrap();
    fs::write(scratch.join("c0"), "old").unwrap();
    let outside = world.dir.path().join("outside");
    fs::write(&outside, "the platform's").unwrap();
    std::os::unix::fs::symlink(&outside, scratch.join("c1")).unwrap();
    std::os::unix::fs::symlink("..", scratch.join("up")).unwrap();
    is_well(&world, 1, "none-has-this-word").await;
    assert_eq!(fs::read_to_string(outside).unwrap(), "the platform's");
}

#[tokio::test]
async fn a_program_that_is_no_reader_is_an_error() {
    let world = World::new();
    world.driver().create(world.of.clone()).await.unwrap();
    for command in [vec!["/bin/true".into()], vec!["/nowhere".into()], Vec::new()] {
        let driver = Restic::directory(&world.storage()).unwrap().with_reader(command);
        let taken = driver.take(world.of.clone(), world.order(1)).await;
        assert!(matches!(taken, Err(SnapshotError::Broken { .. })), "{taken:?}");
    }
}
