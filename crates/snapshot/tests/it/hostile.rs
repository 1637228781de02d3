//! Homes that are made to hurt.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use smartbox_core::snapshot::Shelf;
use smartbox_core::snapshot::port::{Shelves, SnapshotError, Takes};

use crate::world::{World, tree};

const LOOT: &str = "the host's own file";

#[tokio::test]
async fn a_link_out_of_the_home_is_a_link_and_no_more() {
    let world = World::new();
    let outside = world.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), LOOT).unwrap();
    symlink("/etc/passwd", world.home().join("passwd")).unwrap();
    symlink("../outside", world.home().join("directory")).unwrap();
    symlink("/proc/self/root", world.home().join("root")).unwrap();
    symlink(".", world.home().join("loop")).unwrap();
    world.driver().create(world.of.clone()).await.unwrap();
    let taken = world.take(1).await.unwrap();
    let back = world.restored(&taken.snapshot.id).await;
    assert_eq!(back, tree(&world.home()));
    assert_eq!(back.len(), 4, "nothing beneath them");
    assert_eq!(taken.snapshot.bytes, 0, "not a byte was read");
}

#[tokio::test]
async fn a_home_that_is_a_link_itself_is_not_read() {
    let world = World::new();
    world.driver().create(world.of.clone()).await.unwrap();
    let mut order = world.order(1);
    order.home.home = world.dir.path().join("link");
    symlink("/etc", &order.home.home).unwrap();
    let refused = world.driver().take(world.of.clone(), order).await;
    assert!(matches!(refused, Err(SnapshotError::Hole { .. })), "{refused:?}");
}

#[tokio::test]
async fn pipes_sockets_and_devices_are_left_out_and_never_opened() {
    let world = World::new();
    let home = world.home();
    fs::write(home.join("file"), "kept").unwrap();
    mknodat(CWD, home.join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    // Whoever opens it is a connection less than nothing; a socket file cannot be opened at all.
    let _listener = UnixListener::bind(home.join("socket")).unwrap();
    let mut odd = 2;
    // A terminal's device: to open it would show. Only root can make one.
    let device = makedev(5, 0);
    if mknodat(CWD, home.join("device"), FileType::CharacterDevice, Mode::RWXU, device).is_ok() {
        assert!(fs::metadata(home.join("device")).unwrap().file_type().is_char_device());
        odd += 1;
    }
    world.driver().create(world.of.clone()).await.unwrap();
    // To open the pipe would wait for a writer for ever.
    let taken = world.take(1).await.unwrap();
    assert_eq!(taken.left_out, odd);
    let names: Vec<Vec<u8>> = world.restored(&taken.snapshot.id).await.into_keys().collect();
    assert_eq!(names, [b"file".to_vec()]);
}

#[tokio::test]
async fn a_program_of_root_does_not_come_out_of_a_restore() {
    let world = World::new();
    let path = world.home().join("program");
    fs::write(&path, "x").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o6755)).unwrap();
    world.driver().create(world.of.clone()).await.unwrap();
    let taken = world.take(1).await.unwrap().snapshot;
    let into = world.dir.path().join("into");
    fs::create_dir(&into).unwrap();
    world.driver().restore(world.of.clone(), taken.id, into.clone(), None).await.unwrap();
    let mode = fs::metadata(into.join("program")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o755);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_change_hands_while_they_are_read_lead_nowhere() {
    let world = World::new();
    let home = world.home();
    let outside = world.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), LOOT).unwrap();
    for n in 0..40 {
        fs::create_dir(home.join(format!("d{n}"))).unwrap();
        fs::write(home.join(format!("d{n}/file")), "mine").unwrap();
    }
    world.driver().create(world.of.clone()).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let swapper = std::thread::spawn({
        let (home, outside, stop) = (home.clone(), outside.clone(), stop.clone());
        move || {
            // Each directory, and each file, is by turns itself and a link to the host's.
            while !stop.load(Ordering::Relaxed) {
                for n in 0..40 {
                    let (dir, kept) = (home.join(format!("d{n}")), home.join(format!("k{n}")));
                    fs::rename(&dir, &kept).unwrap();
                    symlink(&outside, &dir).unwrap();
                    fs::remove_file(&dir).unwrap();
                    fs::rename(&kept, &dir).unwrap();
                    let (file, kept) = (dir.join("file"), dir.join("kept"));
                    fs::rename(&file, &kept).unwrap();
                    symlink(outside.join("file"), &file).unwrap();
                    fs::remove_file(&file).unwrap();
                    fs::rename(&kept, &file).unwrap();
                }
            }
        }
    });
    for generation in 1..=15 {
        // Whole or not at all; what is whole holds nothing of the host.
        match world.take(generation).await {
            Ok(taken) => {
                let back = world.restored(&taken.snapshot.id).await;
                assert!(!format!("{back:?}").contains(&format!("{:?}", LOOT.as_bytes())));
                assert!(back.keys().all(|name| !name.starts_with(b"outside")));
            }
            Err(SnapshotError::Hole { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    stop.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
}

#[tokio::test]
async fn a_home_without_a_bottom_makes_no_snapshot_and_no_harm() {
    let world = World::new();
    world.driver().create(world.of.clone()).await.unwrap();
    let mut at = world.home();
    for _ in 0..200 {
        at.push("d");
        fs::create_dir(&at).unwrap();
    }
    let refused = world.take(1).await;
    assert!(matches!(refused, Err(SnapshotError::Hole { .. })), "{refused:?}");
    assert_eq!(world.driver().list(world.of.clone()).await.unwrap(), Shelf::NoneYet);
}
