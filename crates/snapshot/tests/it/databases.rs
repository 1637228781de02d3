//! Databases: what stands in their logs, what was under way, and what only looks like one.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use smartbox_core::snapshot::port::{Moment, TakeOrder, Takes};

use crate::boxes::Running;
use crate::world::{World, noise, tree};

const HEADER: &[u8] = b"SQLite format 3\0";

/// A database in WAL mode whose log has rows that the file itself has not, as a killed program leaves it.
fn logged(world: &World, name: &str) {
    let at = world.home().join(name);
    let aside = world.dir.path().join("aside");
    fs::create_dir_all(&aside).unwrap();
    let database = Connection::open(aside.join(name)).unwrap();
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    database.execute_batch("CREATE TABLE t (n); PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    for n in 0..100 {
        database.execute("INSERT INTO t VALUES (?1)", [n]).unwrap();
    }
    for part in ["", "-wal", "-shm"] {
        fs::copy(aside.join(format!("{name}{part}")), format!("{}{part}", at.display())).unwrap();
    }
}

fn rows(path: &std::path::Path) -> i64 {
    let database = Connection::open(path).unwrap();
    database.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn what_stands_in_a_log_is_in_the_one_file_that_comes_back() {
    let world = World::new();
    logged(&world, "a.sqlite");
    logged(&world, "b");
    let user = world.owned();
    let before = tree(&world.home());
    world.driver().create(world.of.clone()).await.unwrap();
    let taken = world.take_as(1, |order| order.home.user = user).await.unwrap();
    assert_eq!(taken.databases, 2, "whatever they are called");
    let back = world.back(&taken.snapshot.id).await;
    assert_eq!(tree(back.path()).len(), 2, "without their logs");
    assert_eq!(fs::read(back.path().join("b")).unwrap()[18..20], [2, 2], "still in WAL mode");
    assert_eq!(rows(&back.path().join("a.sqlite")), 100);
    assert_eq!(rows(&back.path().join("b")), 100);
    assert_eq!(tree(&world.home()), before, "the home is as it was");
    assert!(!world.dir.path().join("scratch").exists());
}

#[tokio::test]
async fn a_transaction_that_was_under_way_is_undone() {
    for killed in [false, true] {
        let world = World::new();
        let user = world.owned();
        let running = Running::new(&world, &["undecided"]);
        let journal = world.home().join("old.sqlite-journal");
        assert!(fs::metadata(&journal).unwrap().len() > 4096, "it is hot");
        if killed {
            running.kill();
        }
        world.driver().create(world.of.clone()).await.unwrap();
        let taken = world.take_as(1, |order| {
            order.home.user = user;
            if !killed {
                order.moment = Moment::Held(running.clone());
            }
        });
        let taken = taken.await.unwrap();
        assert_eq!(taken.databases, 1);
        let back = world.back(&taken.snapshot.id).await;
        assert_eq!(tree(back.path()).len(), 1, "without its journal");
        let database = Connection::open(back.path().join("old.sqlite")).unwrap();
        let ask = |sql| database.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(ask("PRAGMA integrity_check"), "ok");
        let decided = "SELECT CAST(count(*) AS TEXT) FROM turns WHERE text LIKE 'decided%'";
        assert_eq!(ask(decided), "500");
    }
}

#[tokio::test]
async fn what_is_no_database_comes_back_as_it_was_with_what_lies_beside_it() {
    let garbage = |seed| [HEADER, &noise(seed, 9000)[..]].concat();
    let mut huge = garbage(3);
    huge[16..18].copy_from_slice(&[0, 1]);
    let mut several = noise(5, 600);
    several.extend(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7");
    // A log that says that the database has four thousand million pages.
    let mut vast = Vec::from([0x37, 0x7f, 0x06, 0x82]);
    vast.extend(3_007_000_u32.to_be_bytes());
    vast.extend(65_536_u32.to_be_bytes());
    vast.extend(vec![0xff; 70_000]);
    let world = World::with(&[
        ("garbage", &garbage(1)),
        ("garbage-wal", &noise(2, 5000)),
        ("huge", &huge),
        ("huge-journal", &noise(4, 5000)),
        ("cut", &[HEADER, &[0; 500][..]].concat()),
        ("cut-wal", b"x"),
        ("text", b"SQLite format 3 is what this text is about"),
        ("text-wal", b"and this"),
        ("vast", &garbage(6)),
        ("vast-wal", &vast),
    ]);
    logged(&world, "good");
    fs::write(world.home().join("good-journal"), several).unwrap();
    fs::remove_file(world.home().join("good-shm")).unwrap();
    let before = tree(&world.home());
    let user = world.owned();
    world.driver().create(world.of.clone()).await.unwrap();
    for generation in 1..=2 {
        let taken = world.take_as(generation, |order| order.home.user = user).await.unwrap();
        assert_eq!(taken.databases, 0);
        assert_eq!(world.restored(&taken.snapshot.id).await, before, "{generation}");
    }
}

#[tokio::test]
async fn nothing_that_a_database_defines_is_run() {
    let world = World::new();
    logged(&world, "evil");
    let evil = Connection::open(world.home().join("evil")).unwrap();
    evil.execute_batch(
        "CREATE TRIGGER grow AFTER INSERT ON t BEGIN INSERT INTO t VALUES (zeroblob(1000000)); END;
         CREATE VIEW endless AS WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i+1 FROM n) SELECT i FROM n;
         CREATE TABLE gen (a, b AS (abs(a)) STORED);",
    )
    .unwrap();
    let user = world.owned();
    world.driver().create(world.of.clone()).await.unwrap();
    for moment in [Moment::AtRest, Moment::Live] {
        let generation = if matches!(moment, Moment::Live) { 2 } else { 1 };
        let taken = world.take_as(generation, |order| {
            order.home.user = user;
            order.moment = moment;
        });
        let back = world.back(&taken.await.unwrap().snapshot.id).await;
        assert_eq!(rows(&back.path().join("evil")), 100);
        fs::write(world.home().join("other"), "so that there is something new").unwrap();
        world.owned();
    }
}

#[tokio::test]
async fn a_database_that_has_not_changed_is_neither_copied_nor_read() {
    let world = World::new();
    logged(&world, "a.sqlite");
    let user = world.owned();
    world.driver().create(world.of.clone()).await.unwrap();
    let read = Arc::new(AtomicU64::new(0));
    let with = |order: &mut TakeOrder, read: &Arc<AtomicU64>| {
        let read = read.clone();
        order.home.user = user;
        order.meter = Some(Arc::new(move |bytes| read.store(bytes, Ordering::SeqCst)));
    };
    let first = world.take_as(1, |order| with(order, &read)).await.unwrap();
    assert!(read.swap(0, Ordering::SeqCst) > 0 && first.databases == 1);
    let second = world.take_as(2, |order| with(order, &read)).await.unwrap();
    assert_eq!((read.load(Ordering::SeqCst), second.databases), (0, 0));
    assert_eq!(second.added, 0, "not a byte");
    let both =
        [world.restored(&first.snapshot.id).await, world.restored(&second.snapshot.id).await];
    assert_eq!(both[0], both[1]);
    // One more row, which is in the log alone.
    let database = Connection::open(world.home().join("a.sqlite")).unwrap();
    database.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    database.execute("INSERT INTO t VALUES (7)", []).unwrap();
    let third = world.take_as(3, |order| with(order, &read)).await.unwrap();
    let back = world.back(&third.snapshot.id).await;
    assert_eq!(rows(&back.path().join("a.sqlite")), 101);
}

#[tokio::test]
async fn a_database_whose_snapshot_is_gone_is_read_again() {
    let world = World::new();
    logged(&world, "a.sqlite");
    let user = world.owned();
    world.driver().create(world.of.clone()).await.unwrap();
    let first = world.take_as(1, |order| order.home.user = user).await.unwrap().snapshot;
    // The note beside the home knows nothing of it.
    fs::remove_file(world.repository().join("snapshots").join(first.id.as_str())).unwrap();
    let second = world.take_as(2, |order| order.home.user = user).await.unwrap();
    let back = world.back(&second.snapshot.id).await;
    assert_eq!((second.databases, rows(&back.path().join("a.sqlite"))), (1, 100));
}
