use std::fs;
use std::sync::Arc;

use smartbox_core::id::SmartboxId;
use smartbox_core::reply::Asked;
use smartbox_core::secret::Scope;
use smartbox_core::secret::port::Release;
use smartbox_core::snapshot::RepositoryKey;
use smartbox_core::snapshot::record::Archive;
use smartbox_core::store::StoreError;
use smartbox_store::sqlite::Settings;
use smartbox_store::{Keys, OpenError, Sqlite};
use sqlx::{Connection, Executor};

use crate::support::{Home, Os, T0, clock, job, secret, with_box};
use crate::{read, write};

const CANARY: &str = "sk-canary-0123456789";

#[tokio::test]
async fn no_secret_stands_in_the_files() {
    let home = Home::new();
    let store = home.open().await;
    let (owner, pa) = with_box(&store, "pa").await;
    let scope = Scope::Smartbox(pa.id.clone());
    write!(&store, |tx| tx.secrets().set(scope, "KEY".into(), secret(CANARY)).await).unwrap();
    store.release(pa.id, "KEY".into()).await.unwrap().unwrap();
    let asked =
        Asked { account: owner.id.clone(), route: "POST /tokens".into(), key: "key".into() };
    let (asked_for, sealed) = (job(&owner.id, "bulk.config"), secret(CANARY));
    let id = asked_for.id.clone();
    write!(&store, |tx| {
        tx.jobs().add(asked_for).await?;
        tx.jobs().seal(id, sealed).await
    })
    .unwrap();
    write!(&store, |tx| {
        tx.replies().begin(asked.clone(), "digest".into(), "run".into(), T0).await?;
        tx.replies().keep(asked, Some(secret(CANARY))).await
    })
    .unwrap();
    let mut files = 0;
    for file in fs::read_dir(home.db.parent().unwrap()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()));
        files += 1;
    }
    assert!(files >= 3, "key, database, log");
    assert!(!format!("{store:?}").contains(CANARY));
}

#[tokio::test]
async fn a_sealed_value_moved_to_another_place_does_not_open() {
    let home = Home::new();
    let store = home.open().await;
    let (_, pa) = with_box(&store, "pa").await;
    let id = pa.id.clone();
    write!(&store, |tx| {
        tx.secrets().set(Scope::Platform, "KEY".into(), secret(CANARY)).await?;
        tx.secrets().set(Scope::Platform, "OTHER".into(), secret("o")).await?;
        tx.secrets().set(Scope::Smartbox(id), "KEY".into(), secret("b")).await
    })
    .unwrap();
    let mut raw = home.raw().await;
    let scope = Scope::Smartbox(pa.id.clone());
    for (sql, scope, name) in [
        // An attacker who can write to the database gives the box the platform's value.
        (
            "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE scope = 'platform' AND name = 'KEY') WHERE smartbox IS NOT NULL",
            scope.clone(),
            "KEY",
        ),
        (
            "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE scope = 'platform' AND name = 'KEY') WHERE name = 'OTHER'",
            Scope::Platform,
            "OTHER",
        ),
        (
            "UPDATE secrets SET version = version + 1 WHERE scope = 'platform' AND name = 'KEY'",
            Scope::Platform,
            "KEY",
        ),
        (
            "UPDATE secrets SET sealed = x'00' WHERE scope = 'platform' AND name = 'KEY'",
            Scope::Platform,
            "KEY",
        ),
    ] {
        raw.execute(sql).await.unwrap();
        let error = read!(&store, |tx| tx.secrets().open(scope, name.into()).await).unwrap_err();
        assert!(matches!(error, StoreError::Sealed), "{sql}: {error}");
        assert!(!format!("{error:?}").contains(CANARY));
    }
    // A value that does not open is an error, not a reason to take the next scope's.
    let error = store.release(pa.id, "KEY".into()).await.unwrap_err();
    assert!(matches!(error, StoreError::Sealed), "{error}");
}

/// An archive whose key is made of the canary.
async fn archive_of(store: &Sqlite, id: &SmartboxId) {
    let (id, mut key) = (id.clone(), [0; 64]);
    key[..CANARY.len()].copy_from_slice(CANARY.as_bytes());
    write!(store, |tx| {
        tx.archives().put(Archive::new(id.clone())).await?;
        tx.archives().set_key(id, RepositoryKey::new(key)).await
    })
    .unwrap();
}

#[tokio::test]
async fn the_key_of_a_repository_is_sealed_and_opens_in_its_own_place_alone() {
    let home = Home::new();
    let store = home.open().await;
    let (_, pa) = with_box(&store, "pa").await;
    let other = crate::support::smartbox(&pa.account, "other", 1).id;
    archive_of(&store, &pa.id).await;
    archive_of(&store, &other).await;
    for file in fs::read_dir(home.db.parent().unwrap()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()));
    }
    let sql = format!(
        "UPDATE archives SET sealed = (SELECT sealed FROM archives WHERE smartbox = '{other}')"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut home.raw().await).await.unwrap();
    let moved = read!(&store, |tx| tx.archives().key(pa.id).await).unwrap_err();
    assert!(matches!(moved, StoreError::Sealed), "{moved}");
    assert!(read!(&store, |tx| tx.archives().key(other).await).unwrap().is_some());
}

#[tokio::test]
async fn a_record_opens_in_another_installation_with_the_same_master_key_and_in_no_other() {
    let (home, stranger, heir) = (Home::new(), Home::new(), Home::new());
    let store = home.open().await;
    let (_, pa) = with_box(&store, "pa").await;
    let id = pa.id.clone();
    let sealed = read!(&store, |tx| tx.archives().seal_record(id, secret(CANARY)).await).unwrap();
    assert!(!sealed.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()));
    fs::copy(&home.key, &heir.key).unwrap();
    let (id, blob) = (pa.id.clone(), sealed.clone());
    let heir = heir.open().await;
    let opened = read!(&heir, |tx| tx.archives().open_record(id, blob).await).unwrap();
    assert_eq!(opened.expose(), CANARY);
    let stranger = stranger.open().await;
    let refused = read!(&stranger, |tx| tx.archives().open_record(pa.id, sealed).await);
    assert!(matches!(refused, Err(StoreError::Sealed)));
}

#[tokio::test]
async fn another_master_key_is_refused() {
    let home = Home::new();
    let store = home.open().await;
    write!(&store, |tx| tx.secrets().set(Scope::Platform, "KEY".into(), secret(CANARY)).await)
        .unwrap();
    store.close().await;
    let keys = Keys::ephemeral(&Os);
    let error = Sqlite::open(&home.db, keys, clock(), Arc::new(Os)).await.unwrap_err();
    assert!(matches!(error, OpenError::WrongKey { .. }), "{error}");
    // The right one still works, and a refused one took nothing over.
    let store = home.open().await;
    assert_eq!(store.fence(), 2);
    let value = read!(&store, |tx| tx.secrets().open(Scope::Platform, "KEY".into()).await).unwrap();
    assert_eq!(value.unwrap().expose(), CANARY);
}

#[tokio::test]
async fn keys_in_the_database_that_were_changed_are_refused() {
    for sql in [
        "UPDATE data_keys SET wrapped = zeroblob(72)",
        "UPDATE data_keys SET version = 2",
        "UPDATE signing_keys SET sealed = zeroblob(72)",
        "DELETE FROM signing_keys",
    ] {
        let home = Home::new();
        home.open().await.close().await;
        let mut raw = home.raw().await;
        raw.execute(sql).await.unwrap();
        raw.close().await.unwrap();
        let error = home.try_open(Settings::default()).await.unwrap_err();
        assert!(matches!(error, OpenError::Sealed { .. }), "{sql}: {error}");
    }
}
