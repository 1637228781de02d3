//! Removes snapshots, and then what no other one needs.
//!
//! Killed at any point it has removed less, and the next one goes on: a snapshot's own object goes
//! before anything that it names, what is moved is written and indexed before the old index goes, and an
//! object goes after the last index that names it.

use futures_util::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use rustic_core::repofile::SnapshotId as ObjectId;
use rustic_core::{LimitOption, PruneOptions, jiff};
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::snapshot::{Generation, SnapshotId};

use crate::backend::why;
use crate::beside::remove;
use crate::claim;
use crate::error::of_store;
use crate::open::Opened;

const WHAT: &str = "repository of snapshots";

/// For how long something that is no longer needed stays where somebody might still be reading it.
const GRACE_HOURS: i64 = 24;

/// How an object that is not needed goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Going {
    /// At once: nobody reads.
    AtOnce,
    /// It is marked, and a later pruning removes it.
    Marked,
}

/// How many snapshots are gone.
pub(crate) fn prune(
    opened: &Opened,
    gone: &[SnapshotId],
    going: Going,
) -> Result<u64, SnapshotError> {
    let Opened { repository, gate } = opened;
    let lift = |error| why(gate, WHAT, error);
    let there: Vec<ObjectId> = repository.list::<ObjectId>().map_err(lift)?.collect();
    let gone: Vec<ObjectId> = there
        .into_iter()
        .filter(|id| gone.iter().any(|one| one.as_str() == id.to_hex().as_str()))
        .collect();
    if !gone.is_empty() {
        repository.delete_snapshots(&gone).map_err(lift)?;
    }
    let mut options = PruneOptions::default();
    options.instant_delete = going == Going::AtOnce;
    options.keep_delete = jiff::Span::new().hours(GRACE_HOURS);
    // All that it takes to come below what may lie about unused; by default it is left to the next ones.
    options.max_repack = LimitOption::Unlimited;
    let plan = repository.prune_plan(&options).map_err(lift)?;
    repository.prune(&options, plan).map_err(lift)?;
    Ok(gone.len() as u64)
}

/// Removes claims of numbers before one.
pub(crate) async fn forget_claims(
    store: &dyn ObjectStore,
    beside: &Path,
    before: Generation,
) -> Result<(), SnapshotError> {
    let end = claim::path(beside, before);
    let listed = store.list(Some(beside)).map_ok(|meta| meta.location);
    let listed: Vec<Path> = listed.try_collect().await.map_err(of_store)?;
    // Names are numbers of one width: their order is that of the numbers.
    remove(store, listed.into_iter().filter(|path| *path < end).collect()).await
}
