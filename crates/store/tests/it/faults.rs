//! The faults that the memory driver makes on demand.

use smartbox_core::store::StoreError;
use smartbox_store::Memory;
use smartbox_store::memory::{Fault, Moment};

use crate::support::{Os, account, clock};
use crate::{read, write};

fn memory() -> std::sync::Arc<Memory> {
    std::sync::Arc::new(Memory::new(clock(), &Os))
}

async fn add(store: &Memory, name: &str) -> Result<(), StoreError> {
    let row = account(name);
    write!(store, |tx| tx.accounts().add(row).await)
}

async fn names(store: &Memory) -> Vec<String> {
    let rows = read!(store, |tx| tx.accounts().list().await).unwrap();
    rows.into_iter().map(|a| a.name).collect()
}

#[tokio::test]
async fn the_nth_commit_fails_and_keeps_nothing() {
    let store = memory();
    store.fail_commit(2, Moment::Before, Fault::Full);
    add(&store, "a").await.unwrap();
    // A work that fails by itself is no commit.
    assert!(matches!(add(&store, "a").await, Err(StoreError::Exists { .. })));
    assert!(matches!(add(&store, "b").await, Err(StoreError::Full)));
    add(&store, "c").await.unwrap();
    assert_eq!(names(&store).await, ["a", "c"]);
    assert_eq!(store.commits(), 3);
}

#[tokio::test]
async fn a_commit_that_is_not_acknowledged_is_kept() {
    let store = memory();
    store.fail_commit(1, Moment::After, Fault::Broken);
    assert!(matches!(add(&store, "a").await, Err(StoreError::Broken(_))));
    assert!(matches!(add(&store, "a").await, Err(StoreError::Exists { .. })));
    assert_eq!(names(&store).await, ["a"]);
}

#[tokio::test]
async fn a_store_that_is_fenced_off_writes_no_more() {
    let store = memory();
    add(&store, "a").await.unwrap();
    store.fence_off();
    for _ in 0..2 {
        assert!(matches!(add(&store, "b").await, Err(StoreError::Fenced)));
    }
    assert_eq!(names(&store).await, ["a"]);
}
