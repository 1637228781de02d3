//! A bucket that boxes are imported from, read and never written. What lies in it is somebody else's.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use smartbox_core::moves::Found;
use smartbox_core::moves::port::Bucket;
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::{BoxFuture, BoxStream};

use crate::error::of_store;

/// Reads any object store.
#[derive(Debug, Clone)]
pub struct ForeignBucket(Arc<dyn ObjectStore>);

impl ForeignBucket {
    /// Over any store; it is only listed and read.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self(store)
    }
}

impl Bucket for ForeignBucket {
    fn list(
        &self,
        prefix: String,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Found>, SnapshotError>> {
        Box::pin(async move {
            let prefix = parse(&prefix)?;
            // A store goes by whole names: `users/a` is no part of `users/ab`.
            let all = self.0.list(Some(&prefix)).take(limit);
            let found = all.try_filter_map(async |meta| {
                let rest: Option<Vec<_>> =
                    meta.location.prefix_match(&prefix).map(|rest| rest.collect());
                let path: Vec<String> =
                    rest.into_iter().flatten().map(|part| part.as_ref().to_owned()).collect();
                Ok((!path.is_empty()).then(|| Found::new(path.join("/"), meta.size)))
            });
            let mut found: Vec<Found> = found.try_collect().await.map_err(of_store)?;
            found.sort();
            Ok(found)
        })
    }

    fn get(
        &self,
        path: String,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Result<Bytes, SnapshotError>>, SnapshotError>>
    {
        Box::pin(async move {
            let got = self.0.get(&parse(&path)?).await.map_err(of_store)?;
            Ok(got.into_stream().map_err(of_store).boxed())
        })
    }
}

fn parse(path: &str) -> Result<Path, SnapshotError> {
    Path::parse(path.trim_matches('/')).map_err(|error| SnapshotError::Refused(error.into()))
}
