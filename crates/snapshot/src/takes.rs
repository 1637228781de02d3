//! What changes a repository, as the port asks for it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use smartbox_core::BoxFuture;
use smartbox_core::home::place::HomePlace;
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Secret;
use smartbox_core::snapshot::port::{Pruned, SnapshotError, TakeOrder, Taken, Takes};
use smartbox_core::snapshot::{Claim, Generation, RepositoryOf, SnapshotId};
use tokio::runtime::Handle;

use crate::driver::Restic;
use crate::open::{add_password, create, open};
use crate::prune::{self, Going};
use crate::resume::Ready;
use crate::source::{Again, lock};
use crate::take::Try;
use crate::trim::{LARGE, trim};
use crate::{changed, claim, take};

/// How often a home is read that changes while it is.
const TRIES: u32 = 3;

impl Takes for Restic {
    fn create(&self, of: RepositoryOf) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move {
            let key = of.key.clone();
            self.blocking(&of, move |backend| create(backend, &key)).await
        })
    }

    fn changed(
        &self,
        home: HomePlace,
        exclude: Vec<String>,
        since: SnapshotId,
    ) -> BoxFuture<'_, Result<bool, SnapshotError>> {
        let reader = self.reader.clone();
        Box::pin(async move {
            let looked = move || changed::changed(&reader, &home, &exclude, &since);
            tokio::task::spawn_blocking(looked).await.map_err(|source| SnapshotError::Broken {
                doing: "looking at a home",
                source: source.into(),
            })
        })
    }

    fn take(
        &self,
        of: RepositoryOf,
        order: TakeOrder,
    ) -> BoxFuture<'_, Result<Taken, SnapshotError>> {
        Box::pin(async move {
            let again = Arc::new(Mutex::new(Again::default()));
            let mut tries = 0;
            loop {
                tries += 1;
                let last = tries == TRIES;
                let before = lock(&again).count();
                let (key, smartbox, order) = (of.key.clone(), of.smartbox.clone(), order.clone());
                let (reader, runtime) = (self.reader.clone(), Handle::current());
                let noted = again.clone();
                let taken = self.blocking(&of, move |backend| {
                    let (reader, runtime, order) = (&reader, &runtime, &order);
                    let opened = open(backend.clone(), &key)?;
                    let ready = Ready::make(&backend, &opened, &order.claim)?;
                    let parent = ready.parent.as_deref();
                    let this = Try { reader, runtime, order, parent, again: noted, last };
                    let taken = take::take(opened, &smartbox, &this);
                    if taken.as_ref().map_or(true, |taken| taken.snapshot.files > LARGE as u64) {
                        trim();
                    }
                    if taken.is_ok() {
                        ready.done(&backend);
                    }
                    taken
                });
                match taken.await {
                    // Something changed while it was read, and is copied the next time.
                    Err(SnapshotError::Hole { .. }) if !last && lock(&again).count() > before => {}
                    other => return other,
                }
            }
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
            self.sweep(&of.smartbox).await?;
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
