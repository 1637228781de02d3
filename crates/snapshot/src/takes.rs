//! What changes a repository, as the port asks for it.

use bytes::Bytes;
use smartbox_core::BoxFuture;
use smartbox_core::home::place::HomePlace;
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Secret;
use smartbox_core::snapshot::port::{Pruned, SnapshotError, TakeOrder, Taken, Takes};
use smartbox_core::snapshot::{Claim, Generation, RepositoryOf, SnapshotId};

use crate::driver::Restic;
use crate::error::not_yet;
use crate::open::{add_password, create, open};
use crate::{claim, take};

impl Takes for Restic {
    fn create(&self, of: RepositoryOf) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move {
            let key = of.key.clone();
            self.blocking(&of, move |backend| create(backend, &key)).await
        })
    }

    fn changed(
        &self,
        _home: HomePlace,
        _exclude: Vec<String>,
        _since: SnapshotId,
    ) -> BoxFuture<'_, Result<bool, SnapshotError>> {
        Box::pin(async { Ok(true) })
    }

    fn take(
        &self,
        of: RepositoryOf,
        order: TakeOrder,
    ) -> BoxFuture<'_, Result<Taken, SnapshotError>> {
        Box::pin(async move {
            let (key, smartbox) = (of.key.clone(), of.smartbox.clone());
            self.blocking(&of, move |backend| take::take(open(backend, &key)?, &smartbox, &order))
                .await
        })
    }

    fn claim(&self, of: RepositoryOf, claim: Claim) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move { claim::claim(&*self.store, &Self::beside(&of), &claim).await })
    }

    fn prune(
        &self,
        _of: RepositoryOf,
        _remove: Vec<SnapshotId>,
        _before: Option<Generation>,
    ) -> BoxFuture<'_, Result<Pruned, SnapshotError>> {
        Box::pin(async { Err(not_yet("pruning")) })
    }

    fn destroy(&self, _smartbox: SmartboxId) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async { Err(not_yet("removing a repository")) })
    }

    fn put_record(
        &self,
        _smartbox: SmartboxId,
        _sealed: Bytes,
    ) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async { Err(not_yet("keeping a record")) })
    }

    fn add_password(
        &self,
        of: RepositoryOf,
        password: Secret<String>,
    ) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move {
            let key = of.key.clone();
            self.blocking(&of, move |backend| add_password(&open(backend, &key)?, &password)).await
        })
    }
}
