//! The storage fails at each request in turn, before it had an effect and after. Whatever was being done,
//! the newest acknowledged snapshot restores, what remains is whole, and doing it again finishes it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use smartbox_core::snapshot::port::{Shelves, SnapshotError, Storage as _, Takes};
use smartbox_core::snapshot::{Claim, Generation, Shelf, SnapshotId};
use smartbox_snapshot::Restic;

use crate::faulty::{Dies, Faulty};
use crate::world::{NOW, Tree, World, noise, tree};

const WAYS: [Dies; 2] = [Dies::Before, Dies::After];

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// A box with four generations, of which no two have the same files, and what a killed take left; and a
/// copy of all that.
struct Stage {
    world: World,
    ids: Vec<SnapshotId>,
    newest: Tree,
}

impl Stage {
    async fn set() -> Self {
        let world = World::new();
        let driver = world.driver();
        driver.create(world.of.clone()).await.unwrap();
        fs::create_dir(world.home().join("deep")).unwrap();
        let mut ids = Vec::new();
        for number in 1..=4 {
            for name in ["a", "b", "deep/c"] {
                // One stays, one changes now and then, one always.
                let seed = match name {
                    "a" => 1,
                    "b" => 10 + number / 2,
                    _ => 100 + number,
                };
                fs::write(world.home().join(name), noise(seed, 60_000)).unwrap();
            }
            driver.claim(world.of.clone(), claim(number)).await.unwrap();
            let taken = driver.take(world.of.clone(), world.order(number)).await.unwrap();
            ids.push(taken.snapshot.id);
        }
        let left = world.repository().join("data/00");
        fs::create_dir_all(&left).unwrap();
        fs::write(left.join("0".repeat(64)), noise(5, 5000)).unwrap();
        let newest = tree(&world.home());
        let stage = Self { world, ids, newest };
        copy(&stage.world.storage(), &stage.kept());
        stage
    }

    fn kept(&self) -> std::path::PathBuf {
        self.world.dir.path().join("kept")
    }

    /// As it was, and a driver whose storage dies at a request.
    fn again(&self, at: usize, dies: Dies) -> (Faulty, Restic) {
        copy(&self.kept(), &self.world.storage());
        let store = Faulty::new(&self.world, at, dies);
        (store.clone(), World::over(Arc::new(store)))
    }

    async fn newest_is_whole(&self, told: &str) {
        assert_eq!(self.world.restored(&self.ids[3]).await, self.newest, "{told}");
    }
}

fn claim(number: u64) -> Claim {
    Claim { generation: Generation(number), fence: 4, at: NOW }
}

fn is_away<T>(done: &Result<T, SnapshotError>) -> bool {
    matches!(done, Err(SnapshotError::Away(_)))
}

#[tokio::test]
async fn a_pruning_that_dies_anywhere_loses_nothing_and_is_finished_by_the_next() {
    let stage = Stage::set().await;
    let (world, of) = (&stage.world, &stage.world.of);
    let gone = || stage.ids[..2].to_vec();
    let before = Some(Generation(3));
    let clean = {
        let (_, driver) = stage.again(0, Dies::Before);
        let pruned = driver.prune(of.clone(), gone(), before).await.unwrap();
        assert_eq!(pruned.snapshots, 2);
        assert!(pruned.bytes > 60_000, "{pruned:?}");
        assert_eq!(driver.claims(of.clone(), None).await.unwrap().len(), 2);
        driver.size(of.smartbox.clone()).await.unwrap()
    };
    for dies in WAYS {
        for at in 1.. {
            let (store, driver) = stage.again(at, dies);
            let done = driver.prune(of.clone(), gone(), before).await;
            let told = format!("{dies:?} at request {at}: {done:?}");
            if !store.died() {
                assert!(at > 15, "{told}");
                break;
            }
            assert!(is_away(&done), "{told}");
            stage.newest_is_whole(&told).await;
            // Of those that are still listed each is whole.
            let verified = world.driver().verify(of.clone(), None).await;
            assert!(verified.is_ok(), "{told}: {verified:?}");
            world.driver().prune(of.clone(), gone(), before).await.unwrap();
            let Shelf::Some(left) = world.driver().list(of.clone()).await.unwrap() else {
                panic!()
            };
            let left: Vec<SnapshotId> = left.into_iter().map(|one| one.id).collect();
            assert_eq!(left, stage.ids[2..], "{told}");
            world.driver().verify(of.clone(), None).await.unwrap();
            assert_eq!(world.driver().claims(of.clone(), None).await.unwrap().len(), 2, "{told}");
            let size = world.driver().size(of.smartbox.clone()).await.unwrap();
            assert!(size < clean + 2000, "{told}: {size} and not {clean}");
        }
    }
}

#[tokio::test]
async fn a_take_that_dies_anywhere_loses_nothing_and_the_next_one_is_whole() {
    let stage = Stage::set().await;
    let (world, of) = (&stage.world, &stage.world.of);
    fs::write(world.home().join("new"), noise(77, 200_000)).unwrap();
    let home = tree(&world.home());
    for dies in WAYS {
        for at in 1.. {
            let (store, driver) = stage.again(at, dies);
            let claimed = driver.claim(of.clone(), claim(5)).await;
            let done = driver.take(of.clone(), world.order(5)).await;
            let told = format!("{dies:?} at request {at}: {done:?}");
            if !store.died() {
                assert!(at > 12, "{told}");
                break;
            }
            assert!(claimed.is_err() || is_away(&done), "{told}");
            stage.newest_is_whole(&told).await;
            let next = world.driver();
            next.claim(of.clone(), claim(6)).await.unwrap();
            let taken = next.take(of.clone(), world.order(6)).await.unwrap().snapshot;
            assert_eq!(world.restored(&taken.id).await, home, "{told}");
            world.driver().verify(of.clone(), None).await.unwrap();
        }
    }
}

#[tokio::test]
async fn reading_that_dies_anywhere_is_neither_damage_nor_success() {
    let stage = Stage::set().await;
    let (world, of) = (&stage.world, &stage.world.of);
    let mut requests = 0;
    for at in 1.. {
        let (store, driver) = stage.again(at, Dies::Before);
        let verified = driver.verify(of.clone(), None).await;
        assert_eq!(store.died(), is_away(&verified), "{at}: {verified:?}");
        let over = !store.died();
        let (store, driver) = stage.again(at, Dies::Before);
        let into = tempfile::tempdir().unwrap();
        let path = into.path().to_owned();
        let restored = driver.restore(of.clone(), stage.ids[3].clone(), path, None).await;
        assert_eq!(store.died(), is_away(&restored), "{at}: {restored:?}");
        if restored.is_ok() {
            assert_eq!(tree(into.path()), stage.newest);
        }
        assert!(!world.repository().parent().unwrap().join("damage").exists(), "{at}");
        if over && !store.died() {
            break;
        }
        requests += 1;
    }
    assert!(requests > 10, "{requests}");
}

#[tokio::test]
async fn a_destruction_that_dies_anywhere_leaves_what_is_whole_or_missing_and_never_empty() {
    let stage = Stage::set().await;
    let (world, of) = (&stage.world, &stage.world.of);
    for dies in WAYS {
        for at in 1.. {
            let (store, driver) = stage.again(at, dies);
            let done = driver.destroy(of.smartbox.clone()).await;
            let told = format!("{dies:?} at request {at}: {done:?}");
            if !store.died() {
                assert!(at > 12, "{told}");
                break;
            }
            assert!(is_away(&done), "{told}");
            match world.driver().list(of.clone()).await {
                Ok(Shelf::Some(all)) => {
                    assert_eq!(all.len(), 4, "{told}");
                    stage.newest_is_whole(&told).await;
                }
                Err(SnapshotError::Missing { .. }) => {
                    let anew = world.driver().create(of.clone()).await;
                    let left = world.repository().exists()
                        && tree(&world.repository()).keys().any(|name| name.len() > 60);
                    assert_eq!(anew.is_err(), left, "{told}: {anew:?}");
                }
                other => panic!("{told}: {other:?}"),
            }
            world.driver().destroy(of.smartbox.clone()).await.unwrap();
            assert_eq!(world.driver().boxes().await.unwrap(), [], "{told}");
        }
    }
}

#[tokio::test]
async fn healing_that_dies_anywhere_is_finished_by_the_next() {
    let stage = Stage::set().await;
    let (world, of) = (&stage.world, &stage.world.of);
    // Of the newest one the directories are gone, and with them everything in it.
    let data = |world: &World| {
        let root = world.repository().join("data");
        let packs = tree(&root).into_keys().filter(|name| name.len() > 60 && name[0] != b'0');
        packs.map(|name| root.join(String::from_utf8(name).unwrap())).collect::<Vec<_>>()
    };
    for pack in data(world) {
        let mut bytes = fs::read(&pack).unwrap();
        bytes[50] ^= 1;
        fs::write(&pack, bytes).unwrap();
    }
    world.driver().verify(of.clone(), None).await.unwrap_err();
    copy(&world.storage(), &stage.kept());
    for dies in WAYS {
        for at in 1.. {
            let (store, driver) = stage.again(at, dies);
            let done = driver.take(of.clone(), world.order(5)).await;
            let told = format!("{dies:?} at request {at}: {done:?}");
            if !store.died() {
                assert!(at > 20, "{told}");
                break;
            }
            // Forgetting the notes comes after the snapshot, and may fail.
            assert!(done.is_ok() || is_away(&done), "{told}");
            let taken = world.driver().take(of.clone(), world.order(6)).await.unwrap().snapshot;
            let verified = world.driver().verify(of.clone(), Some(taken.id.clone())).await;
            assert!(verified.is_ok(), "{told}: {verified:?}");
            assert_eq!(world.restored(&taken.id).await, stage.newest, "{told}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_moved_back_makes_the_newest_neither_old_nor_strange() {
    let stage = Stage::set().await;
    let (world, of) = (&stage.world, &stage.world.of);
    let mut order = world.order(5);
    order.at.0 -= 365 * 86_400_000;
    let fifth = world.driver().take(of.clone(), order).await.unwrap();
    // Upon the newest by number and not by date: the third would have had other files.
    assert!(fifth.added < 20_000, "{}", fifth.added);
    let sixth = world.driver().take(of.clone(), world.order(6)).await.unwrap();
    assert!(sixth.added < 20_000, "{}", sixth.added);
    let Shelf::Some(all) = world.driver().list(of.clone()).await.unwrap() else { panic!() };
    let numbers: Vec<u64> = all.iter().map(|one| one.claim.generation.0).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    world.driver().prune(of.clone(), stage.ids.clone(), None).await.unwrap();
    assert_eq!(world.restored(&fifth.snapshot.id).await, stage.newest);
}
