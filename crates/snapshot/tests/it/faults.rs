//! Storage that fails: at every write in turn, full, torn and damaged.

use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use smartbox_core::snapshot::Shelf;
use smartbox_core::snapshot::port::{Shelves, SnapshotError, Takes};

use crate::world::{World, furnish, noise, tree};

/// When the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dies {
    /// Before the write has any effect.
    Before,
    /// After it, before the answer.
    After,
}

/// A store that dies at its n-th write and stays dead.
#[derive(Debug)]
struct Mortal {
    inner: LocalFileSystem,
    at: usize,
    dies: Dies,
    kind: io::ErrorKind,
    puts: AtomicUsize,
    /// How many reads it still answers.
    reads: AtomicUsize,
    dead: AtomicBool,
}

impl Mortal {
    fn new(world: &World, at: usize, dies: Dies, kind: io::ErrorKind) -> Arc<Self> {
        let inner = LocalFileSystem::new_with_prefix(world.storage()).unwrap();
        let (puts, reads) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        Arc::new(Self { inner, at, dies, kind, puts, reads, dead: AtomicBool::new(false) })
    }

    fn alive(&self) -> Result<()> {
        if self.dead.load(Ordering::SeqCst) { Err(self.error()) } else { Ok(()) }
    }

    /// One read less.
    fn answers(&self) -> Result<()> {
        self.alive()?;
        let left =
            self.reads.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        left.map(|_| ()).map_err(|_| {
            self.dead.store(true, Ordering::SeqCst);
            self.error()
        })
    }

    fn error(&self) -> object_store::Error {
        object_store::Error::Generic { store: "Mortal", source: io::Error::from(self.kind).into() }
    }
}

impl fmt::Display for Mortal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mortal")
    }
}

#[async_trait]
impl ObjectStore for Mortal {
    async fn put_opts(&self, at: &Path, what: PutPayload, how: PutOptions) -> Result<PutResult> {
        self.alive()?;
        if self.puts.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            self.dead.store(true, Ordering::SeqCst);
            if self.dies == Dies::After {
                self.inner.put_opts(at, what, how).await?;
            }
            return Err(self.error());
        }
        self.inner.put_opts(at, what, how).await
    }
    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.alive()?;
        self.inner.put_multipart_opts(at, how).await
    }
    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        self.answers()?;
        self.inner.get_opts(at, how).await
    }
    async fn get_ranges(&self, at: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.answers()?;
        self.inner.get_ranges(at, ranges).await
    }
    fn delete_stream(
        &self,
        which: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(which)
    }
    fn list(&self, beneath: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(beneath)
    }
    async fn list_with_delimiter(&self, beneath: Option<&Path>) -> Result<ListResult> {
        self.alive()?;
        self.inner.list_with_delimiter(beneath).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.alive()?;
        self.inner.copy_opts(from, to, how).await
    }
}

/// Makes a home whose next snapshot needs several packs, other ones for each seed.
fn change(world: &World, seed: u64) {
    for n in 0..2 {
        let bytes = noise(100 + 2 * seed + n, 6_000_000);
        fs::write(world.home().join(format!("new{n}")), bytes).unwrap();
    }
}

#[tokio::test]
async fn killed_at_any_write_the_newest_acknowledged_one_restores_and_the_next_is_fine() {
    for dies in [Dies::Before, Dies::After] {
        let world = World::new();
        furnish(&world.home());
        world.driver().create(world.of.clone()).await.unwrap();
        let mut newest = world.take(1).await.unwrap().snapshot;
        let mut acknowledged = tree(&world.home());
        let mut writes = 0;
        for n in 1.. {
            change(&world, n);
            let store = Mortal::new(&world, n as usize, dies, io::ErrorKind::TimedOut);
            let order = world.order(n * 2);
            let taken = World::over(store).take(world.of.clone(), order).await;
            if let Ok(taken) = taken {
                assert_eq!(world.restored(&taken.snapshot.id).await, tree(&world.home()));
                break;
            }
            writes += 1;
            assert!(matches!(taken, Err(SnapshotError::Away(_))), "{n}: {taken:?}");
            assert_eq!(world.restored(&newest.id).await, acknowledged, "{dies:?} at write {n}");
            // Without anything put right in between.
            newest = world.take(n * 2 + 1).await.unwrap().snapshot;
            acknowledged = tree(&world.home());
            assert_eq!(world.restored(&newest.id).await, acknowledged, "{dies:?} after write {n}");
            world.driver().verify(world.of.clone(), None).await.unwrap();
        }
        // Where the two large files are cut is another place in each repository: into two packs or more.
        assert!(writes >= 5, "packs, an index, a snapshot; there were {writes} writes");
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_harms_nothing() {
    let world = World::new();
    furnish(&world.home());
    world.driver().create(world.of.clone()).await.unwrap();
    let first = world.take(1).await.unwrap().snapshot;
    let before = tree(&world.home());
    change(&world, 1);
    let store = Mortal::new(&world, 1, Dies::Before, io::ErrorKind::StorageFull);
    let full = World::over(store).take(world.of.clone(), world.order(2)).await;
    assert!(matches!(full, Err(SnapshotError::Full)), "{full:?}");
    assert_eq!(world.restored(&first.id).await, before);
}

#[tokio::test]
async fn what_a_dead_writer_left_is_not_taken_for_an_object() {
    let world = World::new();
    furnish(&world.home());
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    let taken = world.take(1).await.unwrap().snapshot;
    for beneath in ["snapshots", "index", "data/ab"] {
        let dir = world.repository().join(beneath);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(format!("{}#1", "ab".repeat(32))), "half").unwrap();
    }
    assert_eq!(driver.list(world.of.clone()).await.unwrap(), Shelf::Some(vec![taken.clone()]));
    driver.verify(world.of.clone(), None).await.unwrap();
    assert_eq!(world.restored(&taken.id).await, tree(&world.home()));
    // It takes room, which a pruning gives back.
    driver.prune(world.of.clone(), Vec::new(), None).await.unwrap();
    assert!(tree(&world.storage()).keys().all(|name| !name.contains(&b'#')));
    assert_eq!(world.restored(&taken.id).await, tree(&world.home()));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_whole_makes_no_snapshot() {
    let world = World::new();
    world.driver().create(world.of.clone()).await.unwrap();
    fs::write(world.home().join("a"), "a").unwrap();
    let first = world.take(1).await.unwrap().snapshot;
    // The kernel says that this file has more bytes than it gives.
    let mut order = world.order(2);
    order.home.home = "/sys/kernel/mm".into();
    let hole = world.driver().take(world.of.clone(), order).await;
    assert!(matches!(hole, Err(SnapshotError::Hole { .. })), "{hole:?}");
    let listed = world.driver().list(world.of.clone()).await.unwrap();
    assert_eq!(listed, Shelf::Some(vec![first]), "no snapshot with a hole");
}

#[tokio::test]
async fn storage_that_is_away_is_neither_empty_nor_damaged() {
    let world = World::new();
    furnish(&world.home());
    world.driver().create(world.of.clone()).await.unwrap();
    let taken = world.take(1).await.unwrap().snapshot;
    // Its answers end after each number of reads in turn.
    let mut failures = 0;
    for reads in 0.. {
        let store = Mortal::new(&world, 0, Dies::Before, io::ErrorKind::TimedOut);
        store.reads.store(reads, Ordering::SeqCst);
        let driver = World::over(store.clone());
        let listed = driver.list(world.of.clone()).await;
        let listed_all = !store.dead.load(Ordering::SeqCst);
        match listed {
            Ok(shelf) => assert_eq!(shelf, Shelf::Some(vec![taken.clone()])),
            Err(error) => assert!(matches!(error, SnapshotError::Away(_)), "{reads}: {error:?}"),
        }
        let into = tempfile::tempdir().unwrap();
        let path = into.path().to_owned();
        let restored = driver.restore(world.of.clone(), taken.id.clone(), path, None).await;
        let verified = driver.verify(world.of.clone(), None).await;
        if !store.dead.load(Ordering::SeqCst) {
            restored.unwrap();
            verified.unwrap();
            break;
        }
        failures += 1;
        assert!(matches!(verified, Err(SnapshotError::Away(_))), "{reads}: {verified:?}");
        match restored {
            Ok(()) => assert_eq!(tree(into.path()), tree(&world.home()), "{reads}"),
            Err(error) => assert!(matches!(error, SnapshotError::Away(_)), "{reads}: {error:?}"),
        }
        assert!(listed_all || reads < 8, "listing takes a few reads");
    }
    assert!(failures > 6, "there were {failures}");
}

#[tokio::test]
async fn damage_is_found_and_never_restored() {
    let world = World::new();
    furnish(&world.home());
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    let taken = world.take(1).await.unwrap().snapshot;
    let storage = world.repository().join("data");
    let packs: Vec<_> = tree(&storage).into_keys().filter(|name| name.len() > 60).collect();
    assert!(!packs.is_empty());
    for pack in packs {
        let path = storage.join(String::from_utf8(pack).unwrap());
        let whole = fs::read(&path).unwrap();
        let mut bad = whole.clone();
        bad[whole.len() / 3] ^= 1;
        for damage in [Some(bad), None] {
            match damage {
                Some(bad) => fs::write(&path, bad).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let found = driver.verify(world.of.clone(), None).await;
            assert!(matches!(found, Err(SnapshotError::Corrupt { .. })), "{found:?}");
            let into = tempfile::tempdir().unwrap();
            let path = into.path().to_owned();
            let restored = driver.restore(world.of.clone(), taken.id.clone(), path, None).await;
            assert!(matches!(restored, Err(SnapshotError::Corrupt { .. })), "{restored:?}");
        }
        fs::write(&path, whole).unwrap();
    }
    driver.verify(world.of.clone(), None).await.unwrap();
}
