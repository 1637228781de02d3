//! A disk that is really full: a small one of its own, which only root can make.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use smartbox_core::snapshot::port::{Shelves, SnapshotError, Takes};

use crate::world::{World, noise, tree};

struct Disk(PathBuf);

impl Disk {
    /// None if this user may not.
    #[expect(clippy::print_stderr, reason = "what is not checked is said")]
    fn of(path: &Path, options: &std::ffi::CStr) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        match mount("tmpfs", path, "tmpfs", MountFlags::empty(), Some(options)) {
            Ok(()) => Some(Self(path.to_owned())),
            Err(rustix::io::Errno::PERM) => {
                eprintln!("NOT CHECKED: a full disk; only root can make one");
                None
            }
            Err(other) => panic!("{other}"),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.0, UnmountFlags::DETACH).unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_takes_nothing_and_keeps_everything() {
    let world = World::new();
    let Some(_disk) = Disk::of(&world.storage(), c"size=16m") else { return };
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    fs::write(world.home().join("a"), noise(1, 3_000_000)).unwrap();
    let first = world.take(1).await.unwrap().snapshot;
    fs::write(world.home().join("a"), noise(2, 3_000_000)).unwrap();
    let second = world.take(2).await.unwrap().snapshot;
    let before = tree(&world.home());
    fs::write(world.home().join("b"), noise(3, 30_000_000)).unwrap();
    let full = world.take(3).await;
    assert!(matches!(full, Err(SnapshotError::Full)), "{full:?}");
    assert_eq!(world.restored(&second.id).await, before);

    // To the last byte: what a pruning needs to write may not fit, and then nothing is lost.
    let rest = world.storage().join("rest");
    let _ = fs::write(&rest, vec![1; 16_000_000]);
    let pruned = driver.prune(world.of.clone(), vec![first.id.clone()], None).await;
    assert!(matches!(pruned, Ok(_) | Err(SnapshotError::Full)), "{pruned:?}");
    assert_eq!(world.restored(&second.id).await, before);
    fs::remove_file(rest).unwrap();
    driver.prune(world.of.clone(), vec![first.id], None).await.unwrap();
    driver.verify(world.of.clone(), None).await.unwrap();
    assert_eq!(world.restored(&second.id).await, before);
    // What the failed ones left is gone: there is room again.
    fs::remove_file(world.home().join("b")).unwrap();
    fs::write(world.home().join("c"), noise(4, 6_000_000)).unwrap();
    let fourth = world.take(4).await.unwrap().snapshot;
    assert_eq!(world.restored(&fourth.id).await, tree(&world.home()));
}

#[tokio::test]
async fn a_restore_that_does_not_fit_says_so() {
    let world = World::new();
    let into = world.dir.path().join("into");
    let Some(disk) = Disk::of(&into, c"size=4m") else { return };
    world.driver().create(world.of.clone()).await.unwrap();
    for n in 0..4 {
        fs::write(world.home().join(format!("f{n}")), noise(n, 3_000_000)).unwrap();
    }
    let id = world.take(1).await.unwrap().snapshot.id;
    let full = world.driver().restore(world.of.clone(), id.clone(), into, None).await;
    assert!(matches!(full, Err(SnapshotError::Full)), "{full:?}");
    drop(disk);
    assert_eq!(world.restored(&id).await, tree(&world.home()));
}
