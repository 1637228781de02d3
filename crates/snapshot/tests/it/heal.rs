//! Damage is found, named, and put right by the next snapshot; what a killed one had sent is not sent
//! again.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use smartbox_core::snapshot::port::{Shelves, SnapshotError, Taken, Takes};
use smartbox_core::snapshot::{Claim, Generation, Shelf};
use smartbox_snapshot::Restic;

use crate::faulty::{Dies, Faulty};
use crate::world::{NOW, World, furnish, noise, tree};

fn objects(world: &World, kind: &str) -> Vec<PathBuf> {
    let root = world.repository().join(kind);
    let names = tree(&root).into_keys().filter(|name| name.len() >= 64);
    names.map(|name| root.join(String::from_utf8(name).unwrap())).collect()
}

async fn claimed(world: &World, driver: &Restic, number: u64) -> Result<Taken, SnapshotError> {
    let claim = Claim { generation: Generation(number), fence: 4, at: NOW };
    driver.claim(world.of.clone(), claim).await.unwrap();
    driver.take(world.of.clone(), world.order(number)).await
}

#[tokio::test]
async fn the_next_snapshot_heals_a_pack_that_is_damaged_or_gone() {
    let world = World::new();
    furnish(&world.home());
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    claimed(&world, &driver, 1).await.unwrap();
    let mut number = 1;
    let packs = objects(&world, "data");
    assert!(packs.len() >= 2, "data and trees");
    for at in 0..packs.len() {
        for gone in [false, true] {
            let pack = &objects(&world, "data")[at];
            match gone {
                true => fs::remove_file(pack).unwrap(),
                false => {
                    let mut bytes = fs::read(pack).unwrap();
                    let middle = bytes.len() / 3;
                    bytes[middle] ^= 1;
                    fs::write(pack, bytes).unwrap();
                }
            }
            let found = driver.verify(world.of.clone(), None).await;
            let Err(SnapshotError::Corrupt { source, .. }) = found else { panic!("{found:?}") };
            let name = pack.file_name().unwrap().to_str().unwrap();
            let text = source.to_string();
            assert!(text.contains(name) && text.contains("it hits "), "{text}");

            number += 1;
            let healed = claimed(&world, &driver, number).await.unwrap().snapshot;
            assert_eq!(world.restored(&healed.id).await, tree(&world.home()));
            driver.verify(world.of.clone(), Some(healed.id)).await.unwrap();
        }
    }
    // Healed is healed: the next one trusts the one before again, and sends nothing.
    let idle = claimed(&world, &driver, number + 1).await.unwrap();
    assert!(idle.added < 20_000, "{}", idle.added);
    // Directories as they were at an older time are in no home any more.
    let Shelf::Some(all) = driver.list(world.of.clone()).await.unwrap() else { panic!() };
    let old = all.into_iter().map(|one| one.id).filter(|id| *id != idle.snapshot.id).collect();
    driver.prune(world.of.clone(), old, None).await.unwrap();
    driver.verify(world.of.clone(), None).await.unwrap();
}

#[tokio::test]
async fn what_is_still_in_the_home_is_healed_in_the_older_ones_too() {
    let world = World::new();
    fs::write(world.home().join("large"), noise(5, 9_000_000)).unwrap();
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    let first = claimed(&world, &driver, 1).await.unwrap().snapshot.id;
    for pack in
        objects(&world, "data").iter().filter(|path| fs::metadata(path).unwrap().len() > 200_000)
    {
        fs::remove_file(pack).unwrap();
    }
    driver.verify(world.of.clone(), None).await.unwrap_err();
    claimed(&world, &driver, 2).await.unwrap();
    assert_eq!(driver.verify(world.of.clone(), None).await.unwrap().snapshots, 2);
    assert_eq!(world.restored(&first).await, tree(&world.home()));
}

#[tokio::test]
async fn a_damaged_piece_is_told_by_the_files_that_it_hits() {
    let world = World::new();
    fs::create_dir(world.home().join("deep")).unwrap();
    fs::write(world.home().join("deep/precious"), noise(5, 300_000)).unwrap();
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    let id = claimed(&world, &driver, 1).await.unwrap().snapshot.id;
    let large = |path: &PathBuf| fs::metadata(path).unwrap().len() > 200_000;
    let pack = objects(&world, "data").into_iter().find(large).unwrap();
    fs::remove_file(pack).unwrap();
    for asked in [None, Some(id)] {
        let found = driver.verify(world.of.clone(), asked).await;
        let Err(SnapshotError::Corrupt { source, .. }) = found else { panic!("{found:?}") };
        assert!(source.to_string().ends_with("it hits `deep/precious`"), "{source}");
    }
}

#[tokio::test]
async fn what_is_lost_for_good_is_lost_alone() {
    let world = World::new();
    fs::write(world.home().join("gone"), noise(5, 300_000)).unwrap();
    fs::write(world.home().join("stays"), "x").unwrap();
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    let first = claimed(&world, &driver, 1).await.unwrap().snapshot.id;
    let large = |path: &PathBuf| fs::metadata(path).unwrap().len() > 200_000;
    let pack = objects(&world, "data").into_iter().find(large).unwrap();
    fs::remove_file(world.home().join("gone")).unwrap();
    fs::remove_file(pack).unwrap();
    driver.verify(world.of.clone(), None).await.unwrap_err();
    let second = claimed(&world, &driver, 2).await.unwrap().snapshot.id;
    assert_eq!(world.restored(&second).await, tree(&world.home()));
    driver.verify(world.of.clone(), Some(second)).await.unwrap();
    let lost = driver.verify(world.of.clone(), Some(first.clone())).await;
    assert!(matches!(lost, Err(SnapshotError::Corrupt { .. })), "{lost:?}");
    // It hinders a pruning until it is given up: what it needs cannot be told.
    let stuck = driver.prune(world.of.clone(), Vec::new(), None).await;
    assert!(matches!(stuck, Err(SnapshotError::Corrupt { .. })), "{stuck:?}");
    driver.prune(world.of.clone(), vec![first], None).await.unwrap();
    driver.verify(world.of.clone(), None).await.unwrap();
}

#[tokio::test]
async fn an_index_and_a_snapshot_that_are_damaged_are_put_aside() {
    let world = World::new();
    furnish(&world.home());
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    claimed(&world, &driver, 1).await.unwrap();
    let mut number = 1;
    for kind in ["index", "snapshots"] {
        let object = &objects(&world, kind)[0];
        let mut bytes = fs::read(object).unwrap();
        bytes[40] ^= 1;
        fs::write(object, bytes).unwrap();
        let found = driver.verify(world.of.clone(), None).await;
        let Err(SnapshotError::Corrupt { source, .. }) = found else { panic!("{found:?}") };
        let name = object.file_name().unwrap().to_str().unwrap();
        assert!(source.to_string().contains(name), "{source}");
        number += 1;
        let healed = claimed(&world, &driver, number).await.unwrap().snapshot;
        assert_eq!(world.restored(&healed.id).await, tree(&world.home()));
        driver.verify(world.of.clone(), None).await.unwrap();
        let aside = world.repository().parent().unwrap().join("damaged");
        assert!(aside.join(format!("{kind}-{name}")).exists(), "moved and not removed");
    }
}

#[tokio::test]
async fn what_a_killed_take_had_sent_is_not_sent_again() {
    let world = World::new();
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    fs::write(world.home().join("a"), "a").unwrap();
    claimed(&world, &driver, 1).await.unwrap();
    for n in 0..8 {
        fs::write(world.home().join(format!("f{n}")), noise(n, 5_000_000)).unwrap();
    }
    // It dies after it has sent a good part of 40 MB.
    let claim = Claim { generation: Generation(2), fence: 4, at: NOW };
    driver.claim(world.of.clone(), claim).await.unwrap();
    let dying = Faulty::after(&world, 24_000_000);
    let over = World::over(Arc::new(dying.clone()));
    let killed = over.take(world.of.clone(), world.order(2)).await;
    assert!(matches!(killed, Err(SnapshotError::Away(_))), "{killed:?}");
    assert!(dying.written() >= 24_000_000);

    let counting = Faulty::new(&world, 0, Dies::Before);
    let over = World::over(Arc::new(counting.clone()));
    let taken = claimed(&world, &over, 3).await.unwrap().snapshot;
    // What was under way when it died is sent again, and no more.
    assert!(counting.written() < 26_000_000, "{}", counting.written());
    assert_eq!(world.restored(&taken.id).await, tree(&world.home()));
    driver.verify(world.of.clone(), None).await.unwrap();

    // Usually nothing is looked for: to look would be a request more for each of some ten packs.
    let idle = Faulty::new(&world, 0, Dies::Before);
    claimed(&world, &World::over(Arc::new(idle.clone())), 4).await.unwrap();
    assert!(idle.asked() < 26, "{}", idle.asked());
}
