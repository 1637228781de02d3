//! A bucket coming in: what a layout needs of it, and no more.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use smartbox_core::BoxStream;
use smartbox_core::moves::Found;
use smartbox_core::moves::port::Bucket;
use smartbox_core::snapshot::port::SnapshotError;

use super::{ENTRIES, refused};
use crate::error::ControlError;

/// What is in it.
pub(super) async fn list(bucket: &dyn Bucket, prefix: &str) -> Result<Vec<Found>, ControlError> {
    let found = bucket.list(prefix.to_owned(), ENTRIES + 1).await.map_err(explain)?;
    if found.len() > ENTRIES {
        return Err(refused(
            format!("there are more than {ENTRIES} objects in it"),
            "say which part of it to import",
        ));
    }
    Ok(found)
}

/// The bytes of an object.
pub(super) async fn get(
    bucket: &dyn Bucket,
    prefix: &str,
    path: &[u8],
) -> Result<BoxStream<'static, std::io::Result<Bytes>>, ControlError> {
    let path = String::from_utf8_lossy(path);
    let path = [prefix.trim_matches('/'), &path].join("/");
    let bytes = bucket.get(path.trim_start_matches('/').to_owned()).await.map_err(explain)?;
    Ok(bytes.map_err(std::io::Error::other).boxed())
}

fn explain(error: SnapshotError) -> ControlError {
    match error {
        SnapshotError::Missing { .. } => refused(
            "there is no such object in the bucket any more",
            "try again when nothing writes to it",
        ),
        SnapshotError::Refused(cause) => refused(
            format!("the bucket refuses: {cause}"),
            "look whether its credentials may list and read it",
        ),
        SnapshotError::Away(cause) => ControlError::NotNow {
            why: format!("the bucket cannot be reached: {cause}"),
            hint: "try again later".into(),
        },
        other => smartbox_core::home::port::FileError::Broken {
            doing: "reading a bucket",
            source: other.into(),
        }
        .into(),
    }
}
