//! What a driver must do with a bucket that boxes are imported from. It only reads.

use bytes::Bytes;

use super::Found;
use crate::snapshot::port::SnapshotError;
use crate::{BoxFuture, BoxStream};

/// A bucket, or a part of one.
pub trait Bucket: Send + Sync {
    /// Everything beneath a prefix, whose own name is left out of the paths; at most `limit`.
    fn list(
        &self,
        prefix: String,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Found>, SnapshotError>>;
    /// The bytes of one object.
    fn get(
        &self,
        path: String,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Result<Bytes, SnapshotError>>, SnapshotError>>;
}
