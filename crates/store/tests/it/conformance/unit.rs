//! The unit of work itself: all or nothing, one after another, consistent views.

use std::collections::BTreeSet;

use smartbox_core::secret::Scope;
use smartbox_core::store::StoreError;
use tokio::sync::oneshot;

use super::over_every_driver;
use crate::support::{Subject, account, message, secret, smartbox, with_box};
use crate::{read, write};

over_every_driver!(
    a_failed_work_leaves_nothing,
    a_refusal_may_be_handled_within_the_work,
    a_panic_is_an_error_and_the_store_goes_on,
    a_read_cannot_change_anything,
    a_read_sees_one_moment,
    a_work_sees_its_own_changes,
    a_thousand_writes_at_once,
    failing_works_among_others_fail_alone,
    each_commit_has_a_version_of_its_own,
);

async fn a_failed_work_leaves_nothing(s: Subject) {
    let (one, two) = (account("one"), account("two"));
    let error = write!(s.store, |tx| {
        tx.accounts().add(one).await?;
        tx.secrets().set(Scope::Platform, "KEY".into(), secret("v")).await?;
        tx.accounts().add(two).await?;
        Err::<(), _>(StoreError::Missing { what: "courage" })
    })
    .unwrap_err();
    assert!(matches!(error, StoreError::Missing { what: "courage" }));
    assert_eq!(read!(s.store, |tx| tx.accounts().list().await).unwrap(), []);
    assert!(read!(s.store, |tx| tx.secrets().list(Scope::Platform).await).unwrap().is_empty());
}

async fn a_refusal_may_be_handled_within_the_work(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let other = account("other");
    write!(s.store, |tx| {
        let refused = tx.boxes().add(pa).await;
        assert!(matches!(refused, Err(StoreError::Exists { .. })));
        tx.accounts().add(other).await
    })
    .unwrap();
    assert_eq!(read!(s.store, |tx| tx.accounts().list().await).unwrap().len(), 2);
}

async fn a_panic_is_an_error_and_the_store_goes_on(s: Subject) {
    let (one, two) = (account("one"), account("two"));
    let error = write!(s.store, |tx| {
        tx.accounts().add(one).await?;
        if tx.accounts().list().await?.len() == 1 {
            panic!("on purpose");
        }
        Ok(())
    })
    .unwrap_err();
    assert!(matches!(error, StoreError::Broken(_)), "{error}");
    let expected = two.clone();
    write!(s.store, |tx| tx.accounts().add(two).await).unwrap();
    assert_eq!(read!(s.store, |tx| tx.accounts().list().await).unwrap(), [expected]);
}

async fn a_read_cannot_change_anything(s: Subject) {
    let one = account("one");
    let error = read!(s.store, |tx| {
        // Even if it looks away.
        let _ = tx.accounts().add(one).await;
        Ok(())
    })
    .unwrap_err();
    assert!(matches!(error, StoreError::Broken(_)), "{error}");
    assert_eq!(read!(s.store, |tx| tx.accounts().list().await).unwrap(), []);
}

async fn a_read_sees_one_moment(s: Subject) {
    with_box(&*s.store, "pa").await;
    let (seen, has_seen) = oneshot::channel();
    let (written, is_written) = oneshot::channel();
    let store = s.store.clone();
    let reading = tokio::spawn(async move {
        read!(store, |tx| {
            let before = tx.accounts().list().await?.len();
            seen.send(()).unwrap();
            is_written.await.unwrap();
            Ok((before, tx.accounts().list().await?.len()))
        })
    });
    has_seen.await.unwrap();
    // A reader neither blocks a writer nor sees what came after it began.
    let other = account("other");
    write!(s.store, |tx| tx.accounts().add(other).await).unwrap();
    assert_eq!(read!(s.store, |tx| tx.accounts().list().await).unwrap().len(), 2);
    written.send(()).unwrap();
    assert_eq!(reading.await.unwrap().unwrap(), (1, 1));
}

async fn a_work_sees_its_own_changes(s: Subject) {
    let owner = account("me");
    let row = smartbox(&owner.id, "pa", 0);
    let seen = write!(s.store, |tx| {
        tx.accounts().add(owner).await?;
        let slot = tx.boxes().free_slot().await?;
        tx.boxes().add(row.clone()).await?;
        Ok((slot, tx.boxes().free_slot().await?, tx.boxes().labelled("pa".into()).await?))
    })
    .unwrap();
    assert!(matches!(seen, (0, 1, Some(_))));
}

async fn a_thousand_writes_at_once(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let mut writing = tokio::task::JoinSet::new();
    for n in 0..1000 {
        let (store, id) = (s.store.clone(), pa.id.clone());
        writing.spawn(async move {
            let row = message(&id, &n.to_string());
            write!(store, |tx| {
                // Read, change, write: two at once would lose a step.
                let mut row_of_box = tx.boxes().get(id.clone()).await?.unwrap();
                row_of_box.epoch += 1;
                tx.boxes().put(row_of_box).await?;
                tx.messages().add(row).await
            })
        });
    }
    for result in writing.join_all().await {
        result.unwrap();
    }
    let id = pa.id.clone();
    let (row, texts) = read!(s.store, |tx| {
        let row = tx.boxes().get(id.clone()).await?.unwrap();
        Ok((row, tx.messages().recent(id, 2000).await?))
    })
    .unwrap();
    assert_eq!(row.epoch, 1000);
    assert_eq!(texts.len(), 1000);
    let distinct: BTreeSet<_> = texts.iter().map(|m| &m.text).collect();
    assert_eq!(distinct.len(), 1000);
}

async fn failing_works_among_others_fail_alone(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let mut writing = tokio::task::JoinSet::new();
    for n in 0..200 {
        let (store, row) = (s.store.clone(), message(&pa.id, &n.to_string()));
        writing.spawn(async move {
            let result = write!(store, |tx| {
                tx.messages().add(row).await?;
                match n % 3 {
                    0 => Err(StoreError::Missing { what: "luck" }),
                    1 if n % 5 == 0 => panic!("on purpose"),
                    _ => Ok(()),
                }
            });
            (n, result.is_ok())
        });
    }
    let mut kept = BTreeSet::new();
    for (n, ok) in writing.join_all().await {
        assert_eq!(ok, n % 3 != 0 && !(n % 3 == 1 && n % 5 == 0), "{n}");
        if ok {
            kept.insert(n.to_string());
        }
    }
    let rows = read!(s.store, |tx| tx.messages().recent(pa.id, 2000).await).unwrap();
    assert_eq!(rows.into_iter().map(|m| m.text).collect::<BTreeSet<_>>(), kept);
}

async fn each_commit_has_a_version_of_its_own(s: Subject) {
    let mut seen = vec![s.store.version()];
    for name in ["one", "two"] {
        let account = account(name);
        write!(s.store, |tx| tx.accounts().add(account).await).unwrap();
        seen.push(s.store.version());
    }
    let distinct: BTreeSet<u64> = seen.iter().copied().collect();
    assert_eq!(distinct.len(), 3, "{seen:?}");
    assert_eq!(read!(s.store, |tx| tx.accounts().list().await).unwrap().len(), 2);
    assert_eq!(s.store.version(), seen[2], "a read changes nothing");
}
