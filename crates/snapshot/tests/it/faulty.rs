//! A store that counts what is asked of it, and dies at the n-th request.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::world::World;

/// When it dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dies {
    /// Before the request has any effect.
    Before,
    /// After it, before the answer.
    After,
}

#[derive(Clone)]
pub(crate) struct Faulty(Arc<Inner>);

struct Inner {
    store: Arc<LocalFileSystem>,
    /// The request at which it dies, from 1; never at 0.
    at: usize,
    dies: Dies,
    /// It dies once so many bytes were put.
    most: u64,
    asked: AtomicUsize,
    dead: AtomicBool,
    written: AtomicU64,
}

enum Step {
    Go,
    Die(Dies),
}

impl Faulty {
    pub(crate) fn new(world: &World, at: usize, dies: Dies) -> Self {
        Self::with(world, at, dies, u64::MAX)
    }

    /// That dies once so many bytes were put.
    pub(crate) fn after(world: &World, most: u64) -> Self {
        Self::with(world, 0, Dies::After, most)
    }

    fn with(world: &World, at: usize, dies: Dies, most: u64) -> Self {
        std::fs::create_dir_all(world.storage()).unwrap();
        let store = Arc::new(LocalFileSystem::new_with_prefix(world.storage()).unwrap());
        Self(Arc::new(Inner {
            store,
            at,
            dies,
            most,
            asked: AtomicUsize::new(0),
            dead: AtomicBool::new(false),
            written: AtomicU64::new(0),
        }))
    }

    /// Whether it died.
    pub(crate) fn died(&self) -> bool {
        self.0.dead.load(Ordering::SeqCst)
    }

    /// How many requests were made.
    pub(crate) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// Bytes that were put.
    pub(crate) fn written(&self) -> u64 {
        self.0.written.load(Ordering::SeqCst)
    }

    fn step(&self) -> Step {
        if self.died() {
            return Step::Die(Dies::Before);
        }
        if self.0.asked.fetch_add(1, Ordering::SeqCst) + 1 == self.0.at {
            self.0.dead.store(true, Ordering::SeqCst);
            return Step::Die(self.0.dies);
        }
        Step::Go
    }

    async fn does<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        match self.step() {
            Step::Go => request.await,
            Step::Die(Dies::Before) => Err(error()),
            Step::Die(Dies::After) => {
                request.await?;
                Err(error())
            }
        }
    }
}

fn error() -> object_store::Error {
    let source = io::Error::from(io::ErrorKind::ConnectionReset).into();
    object_store::Error::Generic { store: "Faulty", source }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, at: &Path, what: PutPayload, how: PutOptions) -> Result<PutResult> {
        if self.written() >= self.0.most {
            self.0.dead.store(true, Ordering::SeqCst);
        }
        let length = what.content_length() as u64;
        let put = self.does(self.0.store.put_opts(at, what, how)).await?;
        self.0.written.fetch_add(length, Ordering::SeqCst);
        Ok(put)
    }
    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.does(self.0.store.put_multipart_opts(at, how)).await
    }
    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        self.does(self.0.store.get_opts(at, how)).await
    }
    async fn get_ranges(&self, at: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.does(self.0.store.get_ranges(at, ranges)).await
    }
    fn delete_stream(
        &self,
        which: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        let one = move |path: Result<Path>| {
            let this = this.clone();
            async move {
                let path = path?;
                this.does(this.0.store.delete(&path)).await?;
                Ok(path)
            }
        };
        which.then(one).boxed()
    }
    fn list(&self, beneath: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.step() {
            Step::Go => self.0.store.list(beneath),
            Step::Die(_) => stream::iter([Err(error())]).boxed(),
        }
    }
    async fn list_with_delimiter(&self, beneath: Option<&Path>) -> Result<ListResult> {
        self.does(self.0.store.list_with_delimiter(beneath)).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.does(self.0.store.copy_opts(from, to, how)).await
    }
}
