//! What reads a repository, as the port asks for it.

use std::path::PathBuf;

use bytes::Bytes;
use smartbox_core::home::FilePath;
use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::port::{
    Against, Difference, Form, Kept, Meter, Shelves, SnapshotError, Verified,
};
use smartbox_core::snapshot::{Claim, Generation, RepositoryOf, Shelf, SnapshotId};
use smartbox_core::{BoxFuture, BoxStream};

use crate::driver::Restic;
use crate::error::not_yet;
use crate::open::open;
use crate::{claim, restore, take, verify};

impl Shelves for Restic {
    fn list(&self, of: RepositoryOf) -> BoxFuture<'_, Result<Shelf, SnapshotError>> {
        Box::pin(async move {
            let key = of.key.clone();
            self.blocking(&of, move |backend| take::list(&open(backend, &key)?)).await
        })
    }

    fn claims(
        &self,
        of: RepositoryOf,
        after: Option<Generation>,
    ) -> BoxFuture<'_, Result<Vec<Claim>, SnapshotError>> {
        Box::pin(async move { claim::claims(&*self.store, &Self::beside(&of), after).await })
    }

    fn restore(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        into: PathBuf,
        _meter: Option<Meter>,
    ) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move {
            let key = of.key.clone();
            self.blocking(&of, move |backend| restore::restore(open(backend, &key)?, &id, &into))
                .await
        })
    }

    fn verify(
        &self,
        of: RepositoryOf,
        id: Option<SnapshotId>,
    ) -> BoxFuture<'_, Result<Verified, SnapshotError>> {
        Box::pin(async move {
            let key = of.key.clone();
            self.blocking(&of, move |backend| verify::verify(&open(backend, &key)?, id.as_ref()))
                .await
        })
    }

    fn look(
        &self,
        _of: RepositoryOf,
        _id: SnapshotId,
        _path: FilePath,
    ) -> BoxFuture<'_, Result<Vec<Kept>, SnapshotError>> {
        Box::pin(async { Err(not_yet("looking into a snapshot")) })
    }

    fn read(
        &self,
        _of: RepositoryOf,
        _id: SnapshotId,
        _path: FilePath,
        _form: Form,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Result<Bytes, SnapshotError>>, SnapshotError>>
    {
        Box::pin(async { Err(not_yet("reading out of a snapshot")) })
    }

    fn diff(
        &self,
        _of: RepositoryOf,
        _id: SnapshotId,
        _against: Against,
        _limit: usize,
    ) -> BoxFuture<'_, Result<Difference, SnapshotError>> {
        Box::pin(async { Err(not_yet("comparing a snapshot")) })
    }

    fn size(&self, _smartbox: SmartboxId) -> BoxFuture<'_, Result<u64, SnapshotError>> {
        Box::pin(async { Err(not_yet("measuring a repository")) })
    }

    fn boxes(&self) -> BoxFuture<'_, Result<Vec<SmartboxId>, SnapshotError>> {
        Box::pin(async { Err(not_yet("listing repositories")) })
    }

    fn record(&self, _smartbox: SmartboxId) -> BoxFuture<'_, Result<Option<Bytes>, SnapshotError>> {
        Box::pin(async { Err(not_yet("reading a record")) })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async { Err(not_yet("trying the storage")) })
    }

    fn whereabouts(&self) -> String {
        self.store.to_string()
    }
}
