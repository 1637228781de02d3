use smartbox_core::secret::port::Release;
use smartbox_core::store::StoreError;

use crate::support::{Home, account, with_box};
use crate::{read, write};

#[tokio::test]
async fn of_two_stores_on_one_file_the_older_may_not_write() {
    let home = Home::new();
    let old = home.open().await;
    let (_, pa) = with_box(&old, "pa").await;
    let new = home.open().await;
    assert_eq!((old.fence(), new.fence()), (1, 2));
    for name in ["late", "later"] {
        let row = account(name);
        let error = write!(&old, |tx| tx.accounts().add(row).await).unwrap_err();
        assert!(matches!(error, StoreError::Fenced), "{error}");
    }
    let error = old.release(pa.id, "KEY".into()).await.unwrap_err();
    assert!(matches!(error, StoreError::Fenced), "{error}");
    let row = account("new");
    write!(&new, |tx| tx.accounts().add(row).await).unwrap();
    for store in [&old, &new] {
        let rows = read!(store, |tx| tx.accounts().list().await).unwrap();
        assert_eq!(rows.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["new", "pa"]);
    }
}

#[tokio::test]
async fn a_takeover_in_the_middle_of_writes_leaves_only_what_was_acknowledged() {
    let home = Home::new();
    let old = std::sync::Arc::new(home.open().await);
    let mut writing = tokio::task::JoinSet::new();
    for n in 0..300 {
        let (store, row) = (old.clone(), account(&format!("a{n:03}")));
        writing.spawn(async move {
            let name = row.name.clone();
            (name, write!(store, |tx| tx.accounts().add(row).await))
        });
    }
    let first = writing.join_next().await.unwrap().unwrap();
    let new = home.open().await;
    let mut results = writing.join_all().await;
    results.push(first);
    let mut acknowledged: Vec<_> =
        results.iter().filter(|(_, r)| r.is_ok()).map(|(name, _)| name.clone()).collect();
    assert!(
        results.iter().all(|(_, r)| matches!(r, Ok(()) | Err(StoreError::Fenced))),
        "{results:?}"
    );
    acknowledged.sort();
    let rows = read!(&new, |tx| tx.accounts().list().await).unwrap();
    assert_eq!(rows.into_iter().map(|a| a.name).collect::<Vec<_>>(), acknowledged);
}

#[tokio::test]
async fn what_was_queued_is_done_before_the_file_is_closed() {
    let home = Home::new();
    let store = std::sync::Arc::new(home.open().await);
    let mut writing = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (store, row) = (store.clone(), account(&format!("a{n:02}")));
        writing.spawn(async move { write!(store, |tx| tx.accounts().add(row).await).is_ok() });
    }
    let first = writing.join_next().await.unwrap().unwrap();
    store.close().await;
    let kept = writing.join_all().await.into_iter().chain([first]).filter(|ok| *ok).count();
    let row = account("late");
    let error = write!(store, |tx| tx.accounts().add(row).await).unwrap_err();
    assert!(matches!(error, StoreError::Broken(_)), "{error}");
    let again = home.open().await;
    assert_eq!(read!(&again, |tx| tx.accounts().list().await).unwrap().len(), kept);
}
