//! What changes a repository, as the port asks for it.

use bytes::Bytes;
use smartbox_core::BoxFuture;
use smartbox_core::home::place::HomePlace;
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Secret;
use smartbox_core::snapshot::port::{Pruned, SnapshotError, TakeOrder, Taken, Takes};
use smartbox_core::snapshot::{Claim, Generation, RepositoryOf, SnapshotId};

use crate::driver::Restic;
use crate::open::{add_password, create, open};
use crate::prune::{self, Going};
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
        of: RepositoryOf,
        remove: Vec<SnapshotId>,
        before: Option<Generation>,
    ) -> BoxFuture<'_, Result<Pruned, SnapshotError>> {
        Box::pin(async move {
            let was = self.size_of(&of.smartbox).await?;
            // Held until all is done; whoever begins to read meanwhile waits.
            let alone = self.readers(&of.smartbox).try_write_owned();
            let going = if alone.is_ok() { Going::AtOnce } else { Going::Marked };
            let key = of.key.clone();
            let pruned = self.blocking(&of, move |backend| {
                let _alone = alone;
                prune::prune(&open(backend, &key)?, &remove, going)
            });
            let snapshots = pruned.await?;
            if let Some(before) = before {
                prune::forget_claims(&*self.store, &Self::beside(&of), before).await?;
            }
            let is = self.size_of(&of.smartbox).await?;
            Ok(Pruned { snapshots, bytes: was.saturating_sub(is) })
        })
    }

    fn destroy(&self, smartbox: SmartboxId) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move { self.raze(&smartbox).await })
    }

    fn put_record(
        &self,
        smartbox: SmartboxId,
        sealed: Bytes,
    ) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move { self.keep_record(&smartbox, sealed).await })
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
