//! The library's storage over an object store. The library is blocking and calls from its own threads;
//! the requests run on the runtime that the driver was asked on.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use rustic_core::{
    BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend,
};
use sha2::{Digest, Sha256};
use smartbox_core::snapshot::port::SnapshotError;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{BUCKET, of_store};
use crate::gate::Gate;
use crate::listing::hex;

/// A repository's objects.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) root: Path,
    pub(crate) runtime: Handle,
    pub(crate) gate: Gate,
    /// How many parts of packs may be in memory at a time; none is as many as the library likes.
    pub(crate) room: Option<Arc<Semaphore>>,
}

/// A part of a pack, and its place among those that may be in memory.
struct Held {
    bytes: Bytes,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Parts of packs in memory, in a restore.
const PARTS: usize = 4;

impl Backend {
    /// The same, with few parts of packs in memory at a time: the library restores with twenty readers.
    pub(crate) fn thrifty(self) -> Self {
        Self { room: Some(Arc::new(Semaphore::new(PARTS))), ..self }
    }

    /// The same objects, with a gate that is open.
    pub(crate) fn anew(&self) -> Self {
        Self { gate: Gate::default(), ..self.clone() }
    }

    /// A place beside the repository.
    pub(crate) fn beside(&self, part: &'static str) -> Path {
        self.root.parts().take(1).collect::<Path>().join(part)
    }

    pub(crate) fn path(&self, kind: FileType, id: &Id) -> Path {
        let hex = id.to_hex();
        let name = hex.as_str();
        match kind {
            FileType::Config => self.root.clone().join("config"),
            FileType::Pack => self.root.clone().join("data").join(&name[..2]).join(name),
            other => self.root.clone().join(other.dirname()).join(name),
        }
    }

    /// Whether there is anything at all.
    pub(crate) fn remains(&self) -> Result<bool, SnapshotError> {
        let first = self.runtime.block_on(self.store.list(Some(&self.root)).try_next());
        first.map(|first| first.is_some()).map_err(of_store)
    }

    /// Waits for a request; what fails shuts the gate.
    fn wait<T>(
        &self,
        request: impl Future<Output = Result<T, object_store::Error>>,
    ) -> RusticResult<T> {
        self.runtime.block_on(request).map_err(|error| {
            let text = error.to_string();
            self.gate.shut(of_store(error));
            RusticError::new(ErrorKind::Backend, text)
        })
    }
}

impl Backend {
    /// Whether the storage has what it says that it keeps: an object's name is what its bytes hash to.
    fn read_back(&self, kind: FileType, id: &Id, path: &Path) -> RusticResult<()> {
        if kind == FileType::Config {
            return Ok(());
        }
        let bytes = self.wait(async { self.store.get(path).await?.bytes().await })?;
        if id.to_hex().as_str() == hex(&Sha256::digest(&bytes)) {
            return Ok(());
        }
        // One that is not what its name says would be in the way of whoever reads all of its kind.
        let _ = self.runtime.block_on(self.store.delete(path));
        let text = "the storage gives back other bytes than it was given";
        self.gate.shut(SnapshotError::Corrupt { what: "object", source: text.into() });
        Err(RusticError::new(ErrorKind::Backend, text))
    }
}

impl ReadBackend for Backend {
    fn location(&self) -> String {
        self.root.to_string()
    }

    fn list_with_size(&self, kind: FileType) -> RusticResult<Vec<(Id, u32)>> {
        if kind == FileType::Config {
            let config = self.root.clone().join("config");
            let head = self.wait(async {
                match self.store.head(&config).await {
                    Err(object_store::Error::NotFound { .. }) => Ok(None),
                    other => other.map(Some),
                }
            })?;
            return Ok(head.map(|meta| (Id::default(), size(meta.size))).into_iter().collect());
        }
        let beneath = self.root.clone().join(kind.dirname());
        let found = self.wait(self.store.list(Some(&beneath)).try_collect::<Vec<_>>())?;
        let named = found.into_iter().filter_map(|meta| {
            // Left-overs of a dead writer have other names.
            let id = meta.location.filename()?.parse::<Id>().ok()?;
            Some((id, size(meta.size)))
        });
        Ok(named.collect())
    }

    fn read_full(&self, kind: FileType, id: &Id) -> RusticResult<Bytes> {
        let path = self.path(kind, id);
        self.wait(async { self.store.get(&path).await?.bytes().await })
    }

    fn read_partial(
        &self,
        kind: FileType,
        id: &Id,
        _cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        let from = u64::from(offset);
        let path = self.path(kind, id);
        let get = || self.wait(self.store.get_range(&path, from..from + u64::from(length)));
        // The place is given back when whoever asked lets go of the bytes.
        let place = self.room.as_ref().filter(|_| kind == FileType::Pack);
        match place.map(|room| self.runtime.block_on(room.clone().acquire_owned())) {
            Some(Ok(place)) => Ok(Bytes::from_owner(Held { bytes: get()?, _place: place })),
            _ => get(),
        }
    }

    fn warmup_path(&self, kind: FileType, id: &Id) -> String {
        self.path(kind, id).to_string()
    }
}

impl WriteBackend for Backend {
    fn write_bytes(
        &self,
        kind: FileType,
        id: &Id,
        _cacheable: bool,
        content: BytesList,
    ) -> RusticResult<()> {
        // The snapshot comes last, and is what acknowledges all before.
        if kind == FileType::Snapshot && !self.gate.is_open() {
            return Err(RusticError::new(
                ErrorKind::Backend,
                "something before has failed: no snapshot is written",
            ));
        }
        // A repository is made once: of two at the same time one loses, rather than both.
        let mode = match kind {
            FileType::Config => PutMode::Create,
            _ => PutMode::Overwrite,
        };
        let payload = PutPayload::from_iter(content.into_vec());
        let options = PutOptions { mode, ..PutOptions::default() };
        let path = self.path(kind, id);
        self.wait(self.store.put_opts(&path, payload, options))?;
        self.read_back(kind, id, &path)
    }

    fn remove(&self, kind: FileType, id: &Id, _cacheable: bool) -> RusticResult<()> {
        // What is removed after a failure may be what that failure should have put something in place of.
        if !self.gate.is_open() {
            return Err(RusticError::new(
                ErrorKind::Backend,
                "something before has failed: nothing is removed",
            ));
        }
        let path = self.path(kind, id);
        self.wait(async {
            match self.store.delete(&path).await {
                // Whoever began before has got as far.
                Err(object_store::Error::NotFound { .. }) => Ok(()),
                other => other,
            }
        })
    }
}

/// Packs are far below four gigabytes; what is not is none of ours.
fn size(bytes: u64) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// What stopped the library: what the storage said, or else that what it read made no sense.
pub(crate) fn why(gate: &Gate, what: &'static str, error: Box<RusticError>) -> SnapshotError {
    shut(gate, what).unwrap_or_else(|| crate::error::of_library(what, error))
}

/// What the storage said first, if it said anything. An object that something names and that is not
/// there is damage: only what was asked for can be missing.
pub(crate) fn shut(gate: &Gate, what: &'static str) -> Option<SnapshotError> {
    Some(match gate.why()? {
        SnapshotError::Missing { what: object } if object != BUCKET => {
            SnapshotError::Corrupt { what, source: "an object that it names is not there".into() }
        }
        first => first,
    })
}
