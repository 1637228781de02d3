//! A bucket that is only read.

use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use smartbox_core::moves::Found;
use smartbox_core::moves::port::Bucket;
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_snapshot::ForeignBucket;

#[tokio::test]
async fn what_lies_beneath_a_prefix_is_listed_and_read() {
    let store = Arc::new(InMemory::new());
    for (key, text) in [
        ("users/a/root/.openclaw/openclaw.json", "{}"),
        ("users/a/backup.tar.gz", "archive"),
        ("users/ab/backup.tar.gz", "another's"),
    ] {
        store.put(&Path::parse(key).unwrap(), text.into()).await.unwrap();
    }
    let bucket = ForeignBucket::new(store);
    let found = bucket.list("users/a".into(), 100).await.unwrap();
    assert_eq!(
        found,
        [Found::new("backup.tar.gz", 7), Found::new("root/.openclaw/openclaw.json", 2)]
    );
    assert_eq!(bucket.list("/users/a/".into(), 100).await.unwrap(), found);
    assert_eq!(bucket.list(String::new(), 100).await.unwrap().len(), 3);
    assert_eq!(bucket.list(String::new(), 2).await.unwrap().len(), 2);
    assert_eq!(bucket.list("nobody".into(), 100).await.unwrap(), []);
    let bytes = bucket.get("users/a/backup.tar.gz".into()).await.unwrap();
    assert_eq!(bytes.try_collect::<Vec<_>>().await.unwrap().concat(), b"archive");
    let missing = bucket.get("users/a/gone".into()).await;
    assert!(matches!(missing.err(), Some(SnapshotError::Missing { .. })));
    for bad in ["a//b", "../x"] {
        assert!(
            matches!(bucket.get(bad.into()).await.err(), Some(SnapshotError::Refused(_))),
            "{bad}"
        );
    }
}

/// A directory laid out as the bucket was, for whoever downloaded it.
#[tokio::test]
async fn a_directory_is_a_bucket_too() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("openclaw/devices")).unwrap();
    std::fs::write(dir.path().join("openclaw/devices/paired.json"), "[]").unwrap();
    let store: Arc<dyn ObjectStore> =
        Arc::new(object_store::local::LocalFileSystem::new_with_prefix(dir.path()).unwrap());
    let found = ForeignBucket::new(store).list("openclaw".into(), 10).await.unwrap();
    assert_eq!(found, [Found::new("devices/paired.json", 2)]);
}
