//! The driver: which box lies where, and the way from an asynchronous port to a blocking library.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path as FsPath;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::RepositoryOf;
use smartbox_core::snapshot::port::SnapshotError;
use tokio::runtime::Handle;

use crate::backend::Backend;
use crate::error::{of_kernel, of_store};
use crate::gate::Gate;

/// Repositories in the restic format over an object store.
#[derive(Debug, Clone)]
pub struct Restic {
    pub(crate) store: Arc<dyn ObjectStore>,
}

impl Restic {
    /// Over any store that can create an object only where there is none.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// In a directory, which is made, for its owner alone, if it is not there. What is acknowledged is on
    /// the disk.
    pub fn directory(path: &FsPath) -> Result<Self, SnapshotError> {
        let mut builder = std::fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(path);
        made.map_err(|error| of_kernel("making the directory of snapshots", error))?;
        let store = LocalFileSystem::new_with_prefix(path).map_err(of_store)?.with_fsync(true);
        Ok(Self::new(Arc::new(store)))
    }

    pub(crate) fn beside(of: &RepositoryOf) -> Path {
        beneath(&of.smartbox, "generations")
    }

    /// Does `work` on a thread that may block. It goes on if the caller stops waiting.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        of: &RepositoryOf,
        work: impl FnOnce(Backend) -> Result<T, SnapshotError> + Send + 'static,
    ) -> Result<T, SnapshotError> {
        let gate = Gate::default();
        let backend = Backend {
            store: self.store.clone(),
            root: beneath(&of.smartbox, "repository"),
            runtime: Handle::current(),
            gate: gate.clone(),
        };
        match tokio::task::spawn_blocking(move || work(backend)).await {
            // What the library went on over is no success.
            Ok(Ok(done)) => gate.why().map_or(Ok(done), Err),
            Ok(Err(error)) => Err(error),
            // The library panics where a read fails under its threads; the gate knows why.
            Err(source) => Err(gate.why().unwrap_or_else(|| SnapshotError::Broken {
                doing: "using a repository of snapshots",
                source: source.into(),
            })),
        }
    }
}

pub(crate) fn beneath(smartbox: &SmartboxId, part: &'static str) -> Path {
    Path::from(smartbox.as_str()).join(part)
}
