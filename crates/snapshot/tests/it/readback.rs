//! Storage that says that it keeps something, and keeps something else.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use smartbox_core::snapshot::Shelf;
use smartbox_core::snapshot::port::{Shelves, SnapshotError, Takes};

use crate::world::{World, furnish, tree};

/// Changes one bit of the n-th object that it is given, and says that all is well.
#[derive(Debug)]
struct Garbling {
    inner: LocalFileSystem,
    at: usize,
    puts: AtomicUsize,
}

impl fmt::Display for Garbling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Garbling")
    }
}

#[async_trait]
impl ObjectStore for Garbling {
    async fn put_opts(&self, at: &Path, what: PutPayload, how: PutOptions) -> Result<PutResult> {
        if self.puts.fetch_add(1, Ordering::SeqCst) + 1 != self.at {
            return self.inner.put_opts(at, what, how).await;
        }
        let mut bytes: Vec<u8> = what.iter().flat_map(|part| part.to_vec()).collect();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        self.inner.put_opts(at, bytes.into(), how).await
    }
    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, how).await
    }
    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(at, how).await
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
        self.inner.list_with_delimiter(beneath).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, how).await
    }
}

#[tokio::test]
async fn no_snapshot_is_acknowledged_whose_objects_are_not_what_was_written() {
    let mut garbled = 0;
    for at in 1.. {
        let world = World::new();
        furnish(&world.home());
        world.driver().create(world.of.clone()).await.unwrap();
        let inner = LocalFileSystem::new_with_prefix(world.storage()).unwrap();
        let store = Arc::new(Garbling { inner, at, puts: AtomicUsize::new(0) });
        let taken = World::over(store).take(world.of.clone(), world.order(1)).await;
        if let Ok(taken) = taken {
            assert_eq!(world.restored(&taken.snapshot.id).await, tree(&world.home()));
            break;
        }
        garbled += 1;
        assert!(matches!(taken, Err(SnapshotError::Corrupt { .. })), "{at}: {taken:?}");
        assert!(!world.dir.path().join("seen.json").exists(), "nothing is remembered of it");
        // What it garbled is in nobody's way.
        assert_eq!(world.driver().list(world.of.clone()).await.unwrap(), Shelf::NoneYet);
        let taken = world.take(2).await.unwrap();
        assert_eq!(world.restored(&taken.snapshot.id).await, tree(&world.home()));
        world.driver().verify(world.of.clone(), None).await.unwrap();
    }
    assert!(garbled >= 4, "a pack of files, one of directories, an index, a snapshot: {garbled}");
}
