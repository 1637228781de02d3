//! What reads a repository, as the port asks for it.

use std::path::PathBuf;

use bytes::Bytes;
use smartbox_core::home::FilePath;
use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::port::{
    Against, Difference, Form, Kept, Meter, Pages, Shelves, SnapshotError, Storage, Verified,
};
use smartbox_core::snapshot::{Claim, Generation, RepositoryOf, Shelf, SnapshotId};
use smartbox_core::{BoxFuture, BoxStream};

use crate::backend::Backend;
use crate::driver::Restic;
use crate::open::{metered, open};
use crate::shown::Shown;
use crate::{claim, diff, look, restore, take, verify};

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
        meter: Option<Meter>,
    ) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move {
            let key = of.key.clone();
            let work = move |backend: Backend| {
                restore::restore(metered(backend.thrifty(), &key, meter)?, &id, &into)
            };
            self.reading(&of, work).await
        })
    }

    fn verify(
        &self,
        of: RepositoryOf,
        id: Option<SnapshotId>,
    ) -> BoxFuture<'_, Result<Verified, SnapshotError>> {
        Box::pin(async move {
            let key = of.key.clone();
            let work = move |backend| verify::verify(&backend, &key, id.as_ref());
            self.reading(&of, work).await
        })
    }
}

impl Pages for Restic {
    fn look(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        path: FilePath,
    ) -> BoxFuture<'_, Result<Vec<Kept>, SnapshotError>> {
        Box::pin(async move {
            let key = of.key.clone();
            let work = move |backend| look::look(&Shown::open(open(backend, &key)?, &id)?, &path);
            self.reading(&of, work).await
        })
    }

    fn read(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        path: FilePath,
        form: Form,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Result<Bytes, SnapshotError>>, SnapshotError>>
    {
        Box::pin(async move { self.stream(&of, id, path, form).await })
    }

    fn diff(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        against: Against,
        limit: usize,
    ) -> BoxFuture<'_, Result<Difference, SnapshotError>> {
        Box::pin(async move {
            let (key, reader) = (of.key.clone(), self.reader.clone());
            let work = move |backend| {
                let shown = Shown::open(open(backend, &key)?, &id)?;
                diff::diff(&shown, &id, &reader, &against, limit)
            };
            self.reading(&of, work).await
        })
    }
}

impl Storage for Restic {
    fn size(&self, smartbox: SmartboxId) -> BoxFuture<'_, Result<u64, SnapshotError>> {
        Box::pin(async move { self.size_of(&smartbox).await })
    }

    fn boxes(&self) -> BoxFuture<'_, Result<Vec<SmartboxId>, SnapshotError>> {
        Box::pin(async move { self.everyone().await })
    }

    fn record(&self, smartbox: SmartboxId) -> BoxFuture<'_, Result<Option<Bytes>, SnapshotError>> {
        Box::pin(async move { self.kept_record(&smartbox).await })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move { self.try_out().await })
    }

    fn whereabouts(&self) -> String {
        Self::whereabouts(self).to_owned()
    }
}
