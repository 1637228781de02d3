//! The driver: which box lies where, and the way from an asynchronous port to a blocking library.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path as FsPath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::RepositoryOf;
use smartbox_core::snapshot::port::SnapshotError;
use tokio::runtime::Handle;
use tokio::sync::RwLock;

use crate::backend::{Backend, shut};
use crate::error::{of_kernel, of_store};
use crate::gate::Gate;
use crate::session::Reader;

const WHAT: &str = "repository of snapshots";

/// Repositories in the restic format over an object store.
#[derive(Clone)]
pub struct Restic {
    pub(crate) store: Arc<dyn ObjectStore>,
    whereabouts: Arc<str>,
    /// Where the store keeps its objects as files.
    pub(crate) directory: Option<Arc<FsPath>>,
    /// Who reads a repository here holds its lock for reading: what it needs is not removed meanwhile.
    readers: Arc<Mutex<HashMap<SmartboxId, Reading>>>,
    pub(crate) reader: Reader,
}

/// A repository's lock.
pub(crate) type Reading = Arc<RwLock<()>>;

impl Restic {
    /// Over any store that can create an object only where there is none.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        let whereabouts = store.to_string();
        Self::at(store, whereabouts, None)
    }

    /// With homes read by this program with these arguments; otherwise by this program itself, which
    /// must then call [`crate::reader_main`] when its first argument is [`crate::READER_ARG`].
    #[must_use]
    pub fn with_reader(self, command: Vec<OsString>) -> Self {
        Self { reader: Reader(command), ..self }
    }

    /// In a directory, which is made, for its owner alone, if it is not there. What is acknowledged is on
    /// the disk.
    pub fn directory(path: &FsPath) -> Result<Self, SnapshotError> {
        let mut builder = std::fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(path);
        made.map_err(|error| of_kernel("making the directory of snapshots", error))?;
        let store = LocalFileSystem::new_with_prefix(path).map_err(of_store)?.with_fsync(true);
        let whereabouts = format!("the directory {}", path.display());
        Ok(Self::at(Arc::new(store), whereabouts, Some(path.to_owned())))
    }

    pub(crate) fn at(
        store: Arc<dyn ObjectStore>,
        whereabouts: String,
        directory: Option<PathBuf>,
    ) -> Self {
        let directory = directory.map(Arc::from);
        let reader = Reader::default();
        let whereabouts = whereabouts.into();
        Self { store, whereabouts, directory, readers: Arc::default(), reader }
    }

    pub(crate) fn whereabouts(&self) -> &str {
        &self.whereabouts
    }

    pub(crate) fn beside(of: &RepositoryOf) -> Path {
        beneath(&of.smartbox, "generations")
    }

    /// The lock of a box's repository.
    pub(crate) fn readers(&self, smartbox: &SmartboxId) -> Reading {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        // Of those that nobody holds there is no need to remember anything.
        readers.retain(|_, lock| Arc::strong_count(lock) > 1);
        readers.entry(smartbox.clone()).or_default().clone()
    }

    pub(crate) fn backend(&self, smartbox: &SmartboxId) -> Backend {
        Backend {
            store: self.store.clone(),
            root: beneath(smartbox, "repository"),
            runtime: Handle::current(),
            gate: Gate::default(),
            room: None,
        }
    }

    /// Does `work` on a thread that may block. It goes on if the caller stops waiting.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        of: &RepositoryOf,
        work: impl FnOnce(Backend) -> Result<T, SnapshotError> + Send + 'static,
    ) -> Result<T, SnapshotError> {
        let backend = self.backend(&of.smartbox);
        let gate = backend.gate.clone();
        match tokio::task::spawn_blocking(move || work(backend)).await {
            // What the library went on over is no success.
            Ok(Ok(done)) => shut(&gate, WHAT).map_or(Ok(done), Err),
            Ok(Err(error)) => Err(error),
            // The library panics where a read fails under its threads; the gate knows why.
            Err(source) => Err(shut(&gate, WHAT).unwrap_or_else(|| SnapshotError::Broken {
                doing: "using a repository of snapshots",
                source: source.into(),
            })),
        }
    }

    /// The same, for work that reads what a pruning might remove.
    pub(crate) async fn reading<T: Send + 'static>(
        &self,
        of: &RepositoryOf,
        work: impl FnOnce(Backend) -> Result<T, SnapshotError> + Send + 'static,
    ) -> Result<T, SnapshotError> {
        let held = self.readers(&of.smartbox).read_owned().await;
        self.blocking(of, move |backend| {
            let _held = held;
            work(backend)
        })
        .await
    }
}

impl fmt::Debug for Restic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restic").field("at", &self.whereabouts).finish_non_exhaustive()
    }
}

/// A part of what a box has in the store.
pub(crate) fn beneath(smartbox: &SmartboxId, part: &'static str) -> Path {
    all_of(smartbox).join(part)
}

/// Everything that a box has in the store.
pub(crate) fn all_of(smartbox: &SmartboxId) -> Path {
    Path::from(smartbox.as_str())
}
