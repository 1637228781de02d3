//! What lies beside a box's repository, and the box's part of the store as a whole.

use std::collections::BTreeSet;
use std::path::Path as FsPath;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::port::{Cause, SnapshotError};

use crate::driver::{Restic, all_of, beneath};
use crate::error::{of_kernel, of_store};

const RECORD: &str = "record";

impl Restic {
    pub(crate) async fn keep_record(
        &self,
        smartbox: &SmartboxId,
        sealed: Bytes,
    ) -> Result<(), SnapshotError> {
        self.store.put(&beneath(smartbox, RECORD), sealed.into()).await.map(drop).map_err(of_store)
    }

    pub(crate) async fn kept_record(
        &self,
        smartbox: &SmartboxId,
    ) -> Result<Option<Bytes>, SnapshotError> {
        let path = beneath(smartbox, RECORD);
        let got = async { self.store.get(&path).await?.bytes().await };
        match got.await.map_err(of_store) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(SnapshotError::Missing { what: "object" }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Bytes of everything that a box has in the store.
    pub(crate) async fn size_of(&self, smartbox: &SmartboxId) -> Result<u64, SnapshotError> {
        let sizes = self.store.list(Some(&all_of(smartbox))).map_ok(|meta| meta.size);
        sizes
            .try_fold(0, async |sum: u64, size| Ok(sum.saturating_add(size)))
            .await
            .map_err(of_store)
    }

    /// Everyone who has an object in the store. A directory that is empty is none.
    pub(crate) async fn everyone(&self) -> Result<Vec<SmartboxId>, SnapshotError> {
        let found = self.store.list_with_delimiter(None).await.map_err(of_store)?;
        let named: BTreeSet<SmartboxId> = found
            .common_prefixes
            .iter()
            .filter_map(|prefix| prefix.filename()?.parse().ok())
            .collect();
        let mut there = Vec::new();
        for smartbox in named {
            let any = self.store.list(Some(&all_of(&smartbox))).try_next().await;
            if any.map_err(of_store)?.is_some() {
                there.push(smartbox);
            }
        }
        Ok(there)
    }

    /// Removes all that a box has. First what a new installation would take the box over by, then what
    /// makes the repository one: from then on it is missing and not empty, however far this gets, and
    /// none is made where something of it is left.
    pub(crate) async fn raze(&self, smartbox: &SmartboxId) -> Result<(), SnapshotError> {
        let repository = beneath(smartbox, "repository");
        for first in [beneath(smartbox, RECORD), repository.clone().join("config")] {
            remove(&*self.store, vec![first]).await?;
        }
        for part in ["keys", "snapshots", "index"] {
            self.clear(&repository.clone().join(part)).await?;
        }
        self.clear(&repository).await?;
        self.clear(&all_of(smartbox)).await?;
        if let Some(directory) = &self.directory {
            // Empty directories, and what a dead writer left under names that the store does not list.
            let path = directory.join(smartbox.as_str());
            let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(path));
            match removed.await {
                Ok(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(of_kernel("removing a repository", error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes what a dead writer left in a directory: files whose names the store gives to what is only
    /// half written, and which it therefore does not list. Whoever calls is the only writer.
    pub(crate) async fn sweep(&self, smartbox: &SmartboxId) -> Result<(), SnapshotError> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let root = directory.join(smartbox.as_str()).join("repository");
        let swept = tokio::task::spawn_blocking(move || half_written(&root));
        let swept = swept.await.unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
        swept.map_err(|error| of_kernel("sweeping a repository", error))
    }

    async fn clear(&self, beneath: &Path) -> Result<(), SnapshotError> {
        // Listed to its end before anything is removed: both at a time would wait for one another where
        // the number of requests has a limit.
        let listed = self.store.list(Some(beneath)).map_ok(|meta| meta.location);
        let listed: Vec<Path> = listed.try_collect().await.map_err(of_store)?;
        remove(&*self.store, listed).await
    }

    /// Whether the storage does what it is for: an object is made where there is none, is not made
    /// twice, is read as it was written, and is removed.
    pub(crate) async fn try_out(&self) -> Result<(), SnapshotError> {
        // Of a fixed name, so that one which a dead prober left is removed by the next.
        let path = Path::from("probe");
        remove(&*self.store, vec![path.clone()]).await?;
        let text = Bytes::from_static(b"smartbox");
        let create = || {
            let options = object_store::PutMode::Create.into();
            self.store.put_opts(&path, text.clone().into(), options)
        };
        create().await.map_err(of_store)?;
        let twice = create().await;
        let got = async { self.store.get(&path).await?.bytes().await }.await;
        remove(&*self.store, vec![path.clone()]).await?;
        let refused = |why: &str| Err(SnapshotError::Refused(Cause::from(why.to_owned())));
        match (twice.map_err(of_store), got.map_err(of_store)) {
            (_, Err(error)) => Err(error),
            (_, Ok(bytes)) if bytes != text => Err(SnapshotError::Corrupt {
                what: "what was just written",
                source: "other bytes came back".into(),
            }),
            (Err(SnapshotError::Exists { .. }), Ok(_)) => Ok(()),
            (Err(error), Ok(_)) => Err(error),
            (Ok(_), Ok(_)) => refused(
                "it overwrites what should only be made anew: two platforms could claim one number. \
                 Use storage that knows `If-None-Match`",
            ),
        }
    }
}

fn half_written(directory: &FsPath) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            half_written(&entry.path())?;
            continue;
        }
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.rsplit_once('#')).map(|(_, number)| number);
        if number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes objects. One that is missing is fine.
pub(crate) async fn remove(store: &dyn ObjectStore, which: Vec<Path>) -> Result<(), SnapshotError> {
    let which = stream::iter(which.into_iter().map(Ok)).boxed();
    let mut removed = store.delete_stream(which);
    while let Some(one) = removed.next().await {
        match one {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(of_store(error)),
        }
    }
    Ok(())
}
