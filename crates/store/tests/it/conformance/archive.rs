use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::snapshot::record::{Archive, Record, Tombstone, Why};
use smartbox_core::snapshot::{Generation, RepositoryKey};
use smartbox_core::store::StoreError;

use super::over_every_driver;
use crate::support::{Os, Subject, T0, exists, missing, secret, smartbox, with_box};
use crate::{read, write};

over_every_driver!(
    an_archive_is_kept_with_its_key_and_its_generations,
    a_key_is_kept_once,
    an_archive_outlives_its_box_and_its_account,
    tombstones_are_listed_by_account_and_taken_away,
    what_is_forgotten_is_gone_with_all_that_it_had,
    a_record_opens_for_the_box_that_it_was_sealed_for,
);

fn record(number: u64) -> Record {
    Record {
        generation: Generation(number),
        snapshot: "ab".repeat(32).parse().unwrap(),
        taken: T0,
        why: Why::Change,
        files: 3,
        bytes: 4_000,
        added: 5,
        verified: (number == 2).then_some(T0),
    }
}

async fn put(s: &Subject, id: &SmartboxId) -> Archive {
    let archive = Archive { base: 7 << 32, fresh: Some(T0), ..Archive::new(id.clone()) };
    let kept = archive.clone();
    write!(s.store, |tx| tx.archives().put(kept).await).unwrap();
    archive
}

async fn generations(s: &Subject, id: &SmartboxId) -> Vec<Record> {
    let id = id.clone();
    read!(s.store, |tx| tx.archives().generations(id).await).unwrap()
}

async fn add(s: &Subject, id: &SmartboxId, record: Record) -> Result<(), StoreError> {
    let id = id.clone();
    write!(s.store, |tx| tx.archives().put_generation(id, record).await)
}

async fn found(s: &Subject, id: &SmartboxId) -> (Option<Archive>, bool) {
    let id = id.clone();
    read!(s.store, |tx| {
        let archive = tx.archives().get(id.clone()).await?;
        Ok::<_, StoreError>((archive, tx.archives().key(id).await?.is_some()))
    })
    .unwrap()
}

fn tomb(row: &Smartbox, hours: u64) -> Tombstone {
    let at = T0.plus(std::time::Duration::from_hours(hours));
    Tombstone { row: row.clone(), removed: at, until: at }
}

async fn an_archive_is_kept_with_its_key_and_its_generations(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    assert_eq!(found(&s, &pa.id).await, (None, false));
    assert!(missing(&add(&s, &pa.id, record(1)).await.unwrap_err(), "archive"));
    let archive = put(&s, &pa.id).await;
    for number in [2, 10, 1] {
        add(&s, &pa.id, record(number)).await.unwrap();
    }
    assert_eq!(generations(&s, &pa.id).await, [record(1), record(2), record(10)]);
    let verified = Record { verified: Some(T0), ..record(10) };
    add(&s, &pa.id, verified.clone()).await.unwrap();
    let id = pa.id.clone();
    let gone = vec![Generation(1), Generation(99)];
    write!(s.store, |tx| tx.archives().drop_generations(id, gone).await).unwrap();
    put(&s, &pa.id).await;
    assert_eq!(generations(&s, &pa.id).await, [record(2), verified], "another put keeps them");
    assert_eq!(found(&s, &pa.id).await, (Some(archive), false));
}

async fn a_key_is_kept_once(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let keep = async |key: RepositoryKey| {
        let id = pa.id.clone();
        write!(s.store, |tx| tx.archives().set_key(id, key).await)
    };
    let key = RepositoryKey::new(std::array::from_fn(|n| u8::try_from(n).unwrap() | 0x80));
    assert!(missing(&keep(key.clone()).await.unwrap_err(), "archive"));
    put(&s, &pa.id).await;
    keep(key.clone()).await.unwrap();
    assert!(exists(&keep(RepositoryKey::generate(&Os)).await.unwrap_err(), "repository key"));
    put(&s, &pa.id).await;
    let id = pa.id.clone();
    let kept = read!(s.store, |tx| tx.archives().key(id).await).unwrap().unwrap();
    assert_eq!(kept.expose(), key.expose());
}

async fn an_archive_outlives_its_box_and_its_account(s: Subject) {
    let (me, pa) = with_box(&*s.store, "pa").await;
    put(&s, &pa.id).await;
    add(&s, &pa.id, record(1)).await.unwrap();
    let (id, account, tomb) = (pa.id.clone(), me.id.clone(), tomb(&pa, 0));
    write!(s.store, |tx| {
        tx.archives().set_key(id.clone(), RepositoryKey::generate(&Os)).await?;
        tx.archives().bury(tomb).await?;
        tx.boxes().remove(id).await?;
        tx.accounts().bury(account, T0).await
    })
    .unwrap();
    let (archive, key) = found(&s, &pa.id).await;
    assert!(archive.is_some() && key);
    assert_eq!(generations(&s, &pa.id).await, [record(1)]);
}

async fn tombstones_are_listed_by_account_and_taken_away(s: Subject) {
    let (me, pa) = with_box(&*s.store, "pa").await;
    let list = async |account| read!(s.store, |tx| tx.archives().tombstones(account).await);
    let bury = async |tomb| write!(s.store, |tx| tx.archives().bury(tomb).await);
    assert!(missing(&bury(tomb(&pa, 1)).await.unwrap_err(), "archive"));
    let others = crate::support::account("you");
    let theirs = smartbox(&others.id, "their", 9);
    let second = smartbox(&me.id, "second", 8);
    for row in [&pa, &theirs, &second] {
        put(&s, &row.id).await;
    }
    for stone in [tomb(&pa, 1), tomb(&theirs, 2), tomb(&second, 3)] {
        bury(stone).await.unwrap();
    }
    let mine = [tomb(&second, 3), tomb(&pa, 1)];
    assert_eq!(list(Some(me.id.clone())).await.unwrap(), mine);
    assert_eq!(list(None).await.unwrap().len(), 3);
    for _ in 0..2 {
        let id = second.id.clone();
        write!(s.store, |tx| tx.archives().unearth(id).await).unwrap();
    }
    assert_eq!(list(Some(me.id)).await.unwrap(), mine[1..]);
    assert!(found(&s, &second.id).await.0.is_some(), "only the stone is gone");
}

async fn what_is_forgotten_is_gone_with_all_that_it_had(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    put(&s, &pa.id).await;
    add(&s, &pa.id, record(1)).await.unwrap();
    let (id, stone) = (pa.id.clone(), tomb(&pa, 0));
    write!(s.store, |tx| {
        tx.archives().set_key(id.clone(), RepositoryKey::generate(&Os)).await?;
        tx.archives().bury(stone).await
    })
    .unwrap();
    for _ in 0..2 {
        let id = pa.id.clone();
        write!(s.store, |tx| tx.archives().forget(id).await).unwrap();
    }
    assert_eq!(found(&s, &pa.id).await, (None, false));
    put(&s, &pa.id).await;
    assert!(generations(&s, &pa.id).await.is_empty() && !found(&s, &pa.id).await.1);
    assert!(read!(s.store, |tx| tx.archives().tombstones(None).await).unwrap().is_empty());
}

async fn a_record_opens_for_the_box_that_it_was_sealed_for(s: Subject) {
    let (me, pa) = with_box(&*s.store, "pa").await;
    let (id, other) = (pa.id.clone(), smartbox(&me.id, "other", 1).id);
    let sealed =
        read!(s.store, |tx| tx.archives().seal_record(id, secret("the key")).await).unwrap();
    let open = async |id: &SmartboxId, sealed: &bytes::Bytes| {
        let (id, sealed) = (id.clone(), sealed.clone());
        read!(s.store, |tx| tx.archives().open_record(id, sealed).await)
    };
    assert_eq!(open(&pa.id, &sealed).await.unwrap().expose(), "the key");
    assert!(matches!(open(&other, &sealed).await, Err(StoreError::Sealed)));
    assert!(matches!(open(&pa.id, &sealed.slice(..9)).await, Err(StoreError::Sealed)));
}
