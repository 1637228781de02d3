//! Claims of generations over a real directory.

use smartbox_core::snapshot::port::{Shelves, SnapshotError, Takes};
use smartbox_core::snapshot::{Claim, Claiming, Generation, Lineage};

use crate::world::{NOW, World};

fn claim(generation: u64, fence: u64) -> Claim {
    Claim { generation: Generation(generation), fence, at: NOW }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_claim_a_number_one_gets_it() {
    let world = World::new();
    let asked: Vec<_> = (1..=16)
        .map(|fence| {
            let (driver, of) = (world.driver(), world.of.clone());
            tokio::spawn(async move { (fence, driver.claim(of, claim(1, fence)).await) })
        })
        .collect();
    let mut won = Vec::new();
    for one in asked {
        match one.await.unwrap() {
            (fence, Ok(())) => won.push(claim(1, fence)),
            (_, Err(SnapshotError::Exists { .. })) => {}
            (_, Err(other)) => panic!("{other:?}"),
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(world.driver().claims(world.of.clone(), None).await.unwrap(), won);
}

#[tokio::test]
async fn numbers_go_on_after_a_claim_whose_owner_died() {
    let world = World::new();
    let driver = world.driver();
    assert_eq!(driver.claims(world.of.clone(), None).await.unwrap(), []);
    for n in [1, 2, 9, 10] {
        driver.claim(world.of.clone(), claim(n, 3)).await.unwrap();
    }
    let after = driver.claims(world.of.clone(), Some(Generation(2))).await.unwrap();
    assert_eq!(after, [claim(9, 3), claim(10, 3)], "in the order of numbers, not of text");
    let row = Lineage { fence: 4, ..Lineage::default() };
    assert_eq!(row.claiming(&after), Claiming::May(Generation(11)));
    let zombie = Lineage { fence: 2, ..Lineage::default() };
    assert_eq!(zombie.claiming(&after), Claiming::Fenced { by: 3 });
}

#[tokio::test]
async fn a_claim_that_cannot_be_read_is_not_no_claim() {
    let world = World::new();
    let driver = world.driver();
    driver.claim(world.of.clone(), claim(1, 3)).await.unwrap();
    let beside = world.repository().parent().unwrap().join("generations");
    let path = beside.join(format!("{:020}", 1));
    let text = std::fs::read(&path).unwrap();
    std::fs::write(&path, "{").unwrap();
    let torn = driver.claims(world.of.clone(), None).await;
    assert!(matches!(torn, Err(SnapshotError::Corrupt { .. })), "{torn:?}");
    // Nor is one that was moved to another number.
    std::fs::write(&path, &text).unwrap();
    std::fs::rename(&path, beside.join(format!("{:020}", 2))).unwrap();
    let moved = driver.claims(world.of.clone(), None).await;
    assert!(matches!(moved, Err(SnapshotError::Corrupt { .. })), "{moved:?}");
}
