//! What a box locked itself out of: it is its own all the same, and a snapshot has it. What is not its
//! own is not read, whatever its mode.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use smartbox_core::snapshot::port::{SnapshotError, TakeOrder, Taken, Takes};

use crate::world::{BOX, World, tree};

const CANARY: &[u8] = b"the host's own canary";

fn lock(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(0o0)).unwrap();
}

async fn take(world: &World, generation: u64) -> Result<Taken, SnapshotError> {
    let user = world.owned();
    world.take_as(generation, |order: &mut TakeOrder| order.home.user = user).await
}

#[tokio::test]
async fn what_nobody_may_read_is_in_the_snapshot_with_its_mode() {
    let world = World::with(&[("plain", b"plain"), ("locked", b"locked away")]);
    let home = world.home();
    fs::create_dir_all(home.join("dir/within")).unwrap();
    fs::write(home.join("dir/within/file"), "deep").unwrap();
    symlink("within/file", home.join("dir/link")).unwrap();
    let database = rusqlite::Connection::open(home.join("dir/data.sqlite")).unwrap();
    database
        .execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE t (x); INSERT INTO t VALUES (7);")
        .unwrap();
    fs::write(home.join("dir/within/none"), "").unwrap();
    fs::hard_link(home.join("locked"), home.join("dir/same")).unwrap();
    let user = rustix::process::geteuid().is_root().then(|| world.owned()).flatten();
    for path in ["locked", "dir/within/file", "dir/within/none", "dir/within", "dir"] {
        lock(&home.join(path));
    }
    world.driver().create(world.of.clone()).await.unwrap();
    let looks = |path: &str| {
        let meta = fs::symlink_metadata(home.join(path)).unwrap();
        (meta.mode(), meta.ctime(), meta.ctime_nsec())
    };
    let before = ["locked", "dir"].map(looks);
    let mut order = world.order(1);
    order.home.user = user;
    let taken = world.driver().take(world.of.clone(), order).await.unwrap();
    assert_eq!(["locked", "dir"].map(looks), before, "nothing was touched for it");
    assert_eq!(taken.databases, 1, "a database behind such a door is one, too");
    let back = world.back(&taken.snapshot.id).await;
    for path in ["locked", "dir", "dir/within", "dir/within/file", "dir/within/none"] {
        let mode = fs::symlink_metadata(back.path().join(path)).unwrap().mode();
        assert_eq!(mode & 0o7777, 0, "{path}");
        // To look further in, that door is opened.
        fs::set_permissions(back.path().join(path), Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(fs::read(back.path().join("locked")).unwrap(), b"locked away");
    assert_eq!(fs::read(back.path().join("dir/link")).unwrap(), b"deep");
    let restored = rusqlite::Connection::open(back.path().join("dir/data.sqlite")).unwrap();
    let inode = |path: &str| fs::metadata(back.path().join(path)).unwrap().ino();
    assert_eq!(inode("locked"), inode("dir/same"));
    let row: i64 = restored.query_row("SELECT x FROM t", [], |row| row.get(0)).unwrap();
    assert_eq!(row, 7);
}

#[tokio::test]
async fn what_is_not_the_box_s_own_is_not_read_whatever_its_mode() {
    for (path, dir) in [("foreign", false), ("own/foreign", false), ("foreign", true)] {
        let world = World::with(&[("plain", b"plain")]);
        let home = world.home();
        fs::create_dir(home.join("own")).unwrap();
        world.driver().create(world.of.clone()).await.unwrap();
        world.owned();
        let at = home.join(path);
        if dir {
            fs::create_dir(&at).unwrap();
            fs::write(at.join("canary"), CANARY).unwrap();
            fs::set_permissions(&at, Permissions::from_mode(0o700)).unwrap();
        } else {
            fs::write(&at, CANARY).unwrap();
            fs::set_permissions(&at, Permissions::from_mode(0o600)).unwrap();
        }
        lock(&home.join("own"));
        let mut order = world.order(1);
        order.home.user = Some((BOX, BOX));
        let refused = world.driver().take(world.of.clone(), order).await;
        assert!(
            matches!(&refused, Err(SnapshotError::Hole { path: at, .. }) if at == path),
            "{path}: {refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_file_that_changes_places_leads_to_nothing_of_the_host() {
    let world = World::with(&[("plain", b"plain")]);
    let home = world.home();
    let canary = world.dir.path().join("canary");
    fs::write(&canary, CANARY).unwrap();
    fs::set_permissions(&canary, Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(home.join("dir")).unwrap();
    let kept = [home.join("dir/kept"), home.join("kept")];
    for path in &kept {
        fs::write(path, "mine").unwrap();
    }
    world.owned();
    kept.iter().for_each(|path| lock(path));
    world.driver().create(world.of.clone()).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let swapper = std::thread::spawn({
        let (canary, stop) = (canary.clone(), stop.clone());
        move || {
            while !stop.load(Ordering::Relaxed) {
                for kept in &kept {
                    let (name, spare) = (kept.with_file_name("name"), kept.with_file_name("spare"));
                    // By turns itself, a link to the host's file, and that file under one more name.
                    fs::hard_link(kept, &spare).unwrap();
                    fs::rename(&spare, &name).unwrap();
                    symlink(&canary, &spare).unwrap();
                    lchown(&spare, Some(BOX), Some(BOX)).unwrap();
                    fs::rename(&spare, &name).unwrap();
                    fs::hard_link(&canary, &spare).unwrap();
                    fs::rename(&spare, &name).unwrap();
                    fs::remove_file(&name).unwrap();
                    fs::set_permissions(kept.parent().unwrap(), Permissions::from_mode(0o0))
                        .unwrap();
                    fs::set_permissions(kept.parent().unwrap(), Permissions::from_mode(0o700))
                        .unwrap();
                }
            }
        }
    });
    for generation in 1..=20 {
        let mut order = world.order(generation);
        order.home.user = Some((BOX, BOX));
        match world.driver().take(world.of.clone(), order).await {
            Ok(taken) => {
                let back = world.back(&taken.snapshot.id).await;
                let all = tree(back.path());
                assert!(!format!("{all:?}").contains(&format!("{CANARY:?}")), "{all:?}");
            }
            Err(SnapshotError::Hole { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    stop.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
    // Nothing of it keeps the next one from being taken.
    take(&world, 21).await.unwrap();
}
