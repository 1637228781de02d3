//! Snapshots of a box that writes without pause.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use smartbox_core::snapshot::port::{Moment, Takes};

use crate::boxes::Running;
use crate::world::World;

/// How many snapshots: a few here, a hundred by `just load-snapshot`.
fn rounds() -> u64 {
    std::env::var("SMARTBOX_SNAPSHOT_ROUNDS").map_or(12, |text| text.parse().unwrap())
}

/// What a restored database says: whether it is whole, and its numbers, which are 1 to n.
fn numbers(path: &Path) -> u64 {
    for log in ["-wal", "-journal", "-shm"] {
        let beside = format!("{}{log}", path.display());
        assert!(!Path::new(&beside).exists(), "{beside}");
    }
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let ask = |sql: &str| database.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(ask("PRAGMA integrity_check"), "ok", "{}", path.display());
    let count: u64 = ask("SELECT CAST(count(*) AS TEXT) FROM turns").parse().unwrap();
    let last: u64 = ask("SELECT CAST(max(n) AS TEXT) FROM turns").parse().unwrap();
    assert_eq!(count, last, "none is missing");
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_snapshot_of_a_box_that_writes_is_of_one_moment_and_has_all_that_was_acknowledged() {
    let world = World::new();
    let user = world.owned();
    world.driver().create(world.of.clone()).await.unwrap();
    let running = Running::new(&world, &["load"]);
    let mut last = 0;
    for generation in 1..=rounds() {
        let acknowledged = running.after(last);
        let taken = world.take_as(generation, |order| {
            order.home.user = user;
            order.moment = Moment::Held(running.clone());
        });
        let taken = taken.await.unwrap();
        assert!(!taken.held.is_zero(), "it was held");
        assert!(taken.databases >= 1, "a log was full");
        let back = world.back(&taken.snapshot.id).await;
        let wal = numbers(&back.path().join("wal.sqlite"));
        let old = numbers(&back.path().join("old.sqlite"));
        let log = fs::read_to_string(back.path().join("sessions/log.jsonl")).unwrap();
        let lines: Vec<u64> = log.lines().map(|line| line.parse().unwrap()).collect();
        assert!(lines.iter().copied().eq(1..=lines.len() as u64), "no line is torn or missing");
        let lines = lines.len() as u64;
        let file: u64 = fs::read_to_string(back.path().join("last")).unwrap().parse().unwrap();
        let all = [wal, old, lines, file];
        assert!(all.iter().all(|n| *n >= acknowledged), "{all:?} and {acknowledged}");
        // Of one moment: what is written later is not ahead of what is written before it.
        assert!(all.is_sorted_by(|a, b| a >= b) && wal - file <= 1, "{all:?}");
        last = running.said();
    }
    drop(running);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_box_cannot_be_held_each_database_is_whole_and_has_all_that_was_acknowledged() {
    let world = World::new();
    let user = world.owned();
    world.driver().create(world.of.clone()).await.unwrap();
    let running = Running::new(&world, &["load"]);
    let mut last = 0;
    for generation in 1..=4 {
        let acknowledged = running.after(last);
        let taken = world.take_as(generation, |order| {
            order.home.user = user;
            order.moment = Moment::Live;
        });
        let taken = taken.await.unwrap();
        assert_eq!(taken.databases, 2);
        assert!(taken.held.is_zero());
        let back = world.back(&taken.snapshot.id).await;
        for name in ["wal.sqlite", "old.sqlite"] {
            let has = numbers(&back.path().join(name));
            assert!(has >= acknowledged, "{name}: {has} and {acknowledged}");
        }
        last = running.said();
    }
    assert!(running.after(last) > last, "the box was not in anybody's way");
}
