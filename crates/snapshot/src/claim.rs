//! Claims of generations: one object each, beside the repository, made only where there is none.

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::snapshot::{Claim, Generation};

use crate::error::of_store;

const WHAT: &str = "claim of a generation";

pub(crate) async fn claim(
    store: &dyn ObjectStore,
    beside: &Path,
    claim: &Claim,
) -> Result<(), SnapshotError> {
    let text = serde_json::to_vec(claim).map_err(|source| SnapshotError::Broken {
        doing: "writing a claim",
        source: source.into(),
    })?;
    let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match store.put_opts(&path(beside, claim.generation), text.into(), options).await {
        Ok(_) => Ok(()),
        Err(error) => Err(match of_store(error) {
            SnapshotError::Exists { .. } => SnapshotError::Exists { what: WHAT },
            other => other,
        }),
    }
}

pub(crate) async fn claims(
    store: &dyn ObjectStore,
    beside: &Path,
    after: Option<Generation>,
) -> Result<Vec<Claim>, SnapshotError> {
    let listed = match after {
        Some(after) => store.list_with_offset(Some(beside), &path(beside, after)),
        None => store.list(Some(beside)),
    };
    let mut found = Vec::new();
    for meta in listed.try_collect::<Vec<_>>().await.map_err(of_store)? {
        let bytes = async { store.get(&meta.location).await?.bytes().await };
        let bytes = bytes.await.map_err(of_store)?;
        let claim: Claim = serde_json::from_slice(&bytes)
            .map_err(|source| SnapshotError::Corrupt { what: WHAT, source: source.into() })?;
        if path(beside, claim.generation) != meta.location {
            let source = "it lies under another number".into();
            return Err(SnapshotError::Corrupt { what: WHAT, source });
        }
        found.push(claim);
    }
    found.sort_by_key(|claim| claim.generation);
    Ok(found)
}

/// In an order of text that is the order of numbers.
pub(crate) fn path(beside: &Path, generation: Generation) -> Path {
    beside.clone().join(format!("{:020}", generation.0))
}
