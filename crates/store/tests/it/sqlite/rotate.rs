//! Changing keys: nothing that was sealed is ever lost, whoever is killed when.

use std::fs;
use std::sync::Arc;

use smartbox_core::reply::Asked;
use smartbox_core::secret::port::{Release, Rotation};
use smartbox_core::secret::{RotationError, Scope};
use smartbox_core::smartbox::Smartbox;
use smartbox_store::sqlite::Settings;
use smartbox_store::{Keys, KeysError, OpenError, Sqlite};
use sqlx::Executor;

use crate::support::{Home, Os, T0, clock, job, secret, with_box};
use crate::{read, write};

const VALUES: usize = 450;

/// Something in every table with sealed values, and more secrets than fit one batch.
async fn fill(store: &Sqlite) -> Smartbox {
    let (owner, pa) = with_box(store, "pa").await;
    let scope = Scope::Smartbox(pa.id.clone());
    for n in 0..VALUES {
        let scope = scope.clone();
        write!(store, |tx| tx
            .secrets()
            .set(scope, format!("K{n}"), secret(&format!("v{n}")))
            .await)
        .unwrap();
    }
    write!(store, |tx| tx.secrets().set(scope, "K0".into(), secret("newer")).await).unwrap();
    let asked = Asked { account: owner.id.clone(), route: "POST /x".into(), key: "key".into() };
    let asked_for = job(&owner.id, "bulk.config");
    let id = asked_for.id.clone();
    write!(store, |tx| {
        tx.jobs().add(asked_for).await?;
        tx.jobs().seal(id, secret("job")).await?;
        tx.replies().begin(asked.clone(), "digest".into(), "run".into(), T0).await?;
        tx.replies().keep(asked, Some(secret("reply"))).await
    })
    .unwrap();
    let revision = smartbox_core::config::Revision {
        smartbox: pa.id.clone(),
        seq: 0,
        at: T0,
        actor: "test".into(),
        how: "replaced".into(),
        digest: "d".into(),
        refused: None,
    };
    write!(store, |tx| tx.revisions().add(revision, secret("{}"), 20).await).unwrap();
    pa
}

/// Everything opens, with the values that it had.
async fn all_there(store: &Sqlite, pa: &Smartbox) {
    for n in [1, 199, 200, VALUES - 1] {
        let value = store.release(pa.id.clone(), format!("K{n}")).await.unwrap().unwrap();
        assert_eq!(*value.expose(), format!("v{n}"));
    }
    let id = pa.id.clone();
    let revision = read!(store, |tx| tx.revisions().open(id, 1).await).unwrap().unwrap();
    assert_eq!(revision.1.expose(), "{}");
    let asked = Asked { account: pa.account.clone(), route: "POST /x".into(), key: "key".into() };
    let before =
        write!(store, |tx| tx.replies().begin(asked, "digest".into(), "r".into(), T0).await);
    assert!(
        matches!(before.unwrap(), smartbox_core::reply::Before::Done(reply) if reply.expose() == "reply")
    );
    let scope = Scope::Smartbox(pa.id.clone());
    let back = write!(store, |tx| {
        let first = tx.secrets().versions(scope.clone(), "K0".into()).await?;
        let to = first.last().map_or(0, |version| version.revision);
        tx.secrets().roll_back(scope.clone(), "K0".into(), to).await?;
        let value = tx.secrets().open(scope.clone(), "K0".into()).await?;
        // As it was, for the next look.
        tx.secrets().remove(scope.clone(), "K0".into()).await?;
        tx.secrets().set(scope.clone(), "K0".into(), secret("v0")).await?;
        tx.secrets().set(scope, "K0".into(), secret("newer")).await?;
        Ok(value)
    });
    assert_eq!(back.unwrap().unwrap().expose(), "v0");
    let account = pa.account.clone();
    read!(store, |tx| tx.audit().verify(account).await).unwrap();
}

async fn count(home: &Home, sql: &'static str) -> i64 {
    let mut raw = home.raw().await;
    sqlx::query_scalar(sql).fetch_one(&mut raw).await.unwrap()
}

/// Every table with a `data_key`, or a rotation would leave its values behind.
#[tokio::test]
async fn no_table_with_sealed_values_is_forgotten() {
    let home = Home::new();
    let store = home.open().await;
    fill(&store).await;
    let mut raw = home.raw().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = 'data_key'",
    )
    .fetch_all(&mut raw)
    .await
    .unwrap();
    assert!(tables.len() >= 6, "{tables:?}");
    let known = smartbox_store::sqlite::sealed_tables();
    for table in &tables {
        assert!(known.contains(&table.as_str()), "{table} is not sealed anew by a rotation");
    }
}

#[tokio::test]
async fn every_value_is_sealed_anew_while_secrets_are_released_and_set() {
    let home = Home::new();
    let store = Arc::new(home.open().await);
    let pa = fill(&store).await;
    let busy = tokio::spawn({
        let (store, pa) = (store.clone(), pa.clone());
        async move {
            let mut rounds = 0;
            loop {
                let value = store.release(pa.id.clone(), "K7".into()).await.unwrap().unwrap();
                assert_eq!(value.expose(), "v7");
                let scope = Scope::Smartbox(pa.id.clone());
                write!(store, |tx| tx.secrets().set(scope, "BUSY".into(), secret("x")).await)
                    .unwrap();
                let scope = Scope::Smartbox(pa.id.clone());
                let seen = read!(store, |tx| tx.secrets().open(scope, "BUSY".into()).await);
                assert_eq!(seen.unwrap().unwrap().expose(), "x");
                rounds += 1;
                if store.keys().await.unwrap().data_key == 3 {
                    return rounds;
                }
            }
        }
    });
    for id in [2, 3] {
        let done = store.rotate_data().await.unwrap();
        assert_eq!((done.data_key, done.resumed), (id, false));
        assert!(done.resealed >= VALUES as u64, "{done:?}");
    }
    assert!(busy.await.unwrap() > 0);
    all_there(&store, &pa).await;
    assert_eq!(count(&home, "SELECT count(*) FROM data_keys").await, 1);
    store.close().await;
    all_there(&home.open().await, &pa).await;
}

/// Killed after the new key's row, and after any number of batches: the next one goes on.
#[tokio::test]
async fn a_change_of_the_data_key_that_is_cut_off_is_finished_by_the_next() {
    for batches in [0, 1, 2] {
        let home = Home::new();
        let store = home.open().await;
        let pa = fill(&store).await;
        store.close().await;
        let store = home.open().await;
        // The writer refuses after so many batches, as a full disk does.
        let mut raw = home.raw().await;
        let limit = batches * 200;
        let trigger = format!(
            "CREATE TRIGGER stop BEFORE UPDATE OF sealed ON secrets WHEN
             (SELECT count(*) FROM secrets WHERE data_key = 2) >= {limit}
             BEGIN SELECT RAISE(ABORT, 'stopped'); END"
        );
        raw.execute(sqlx::AssertSqlSafe(trigger)).await.unwrap();
        assert!(store.rotate_data().await.is_err());
        assert_eq!(store.keys().await.unwrap().left, 1);
        all_values(&store, &pa).await;
        store.close().await;
        raw.execute("DROP TRIGGER stop").await.unwrap();
        let store = home.open().await;
        all_values(&store, &pa).await;
        let done = store.rotate_data().await.unwrap();
        assert_eq!((done.data_key, done.resumed), (2, true));
        assert_eq!(store.keys().await.unwrap().left, 0);
        all_there(&store, &pa).await;
    }
}

async fn all_values(store: &Sqlite, pa: &Smartbox) {
    for n in 1..VALUES {
        let value = store.release(pa.id.clone(), format!("K{n}")).await.unwrap().unwrap();
        assert_eq!(*value.expose(), format!("v{n}"));
    }
}

#[tokio::test]
async fn another_master_key_takes_over_while_the_store_is_open() {
    let home = Home::new();
    let store = home.open().await;
    let pa = fill(&store).await;
    let (old, before) = (fs::read(&home.key).unwrap(), store.keys().await.unwrap().master);
    let after = store.rotate_master().await.unwrap();
    assert_ne!(before, after);
    assert_eq!(store.keys().await.unwrap().master, after);
    assert_ne!(fs::read(&home.key).unwrap(), old);
    all_there(&store, &pa).await;
    store.rotate_data().await.unwrap();
    store.close().await;
    all_there(&home.open().await, &pa).await;
    // The old one opens nothing any more.
    fs::write(&home.key, &old).unwrap();
    let refused = home.try_open(Settings::default()).await;
    assert!(matches!(refused, Err(OpenError::WrongKey { .. })), "{refused:?}");
}

/// At each step of it: the next start has one key file, and it opens everything.
#[tokio::test]
async fn a_change_of_the_master_key_that_is_cut_off_is_finished_or_undone_by_the_next_start() {
    let next = |home: &Home| home.key.with_extension("key.next");
    for step in ["new key made", "database under it", "file replaced"] {
        let home = Home::new();
        assert!(home.key.to_str().unwrap().ends_with(".key"), "{:?}", home.key);
        let store = home.open().await;
        let pa = fill(&store).await;
        let old = fs::read(&home.key).unwrap();
        store.rotate_master().await.unwrap();
        let new = fs::read(&home.key).unwrap();
        store.close().await;
        // As it lies after a kill there.
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        match step {
            "new key made" => {
                // Nothing is under it: a key that was made and never used.
                fs::write(next(&home), &old).unwrap();
                fs::set_permissions(next(&home), private).unwrap();
            }
            "database under it" => {
                fs::write(&home.key, &old).unwrap();
                fs::write(next(&home), &new).unwrap();
                fs::set_permissions(next(&home), private).unwrap();
            }
            _ => {}
        }
        let store = home.open().await;
        all_there(&store, &pa).await;
        assert!(!next(&home).exists(), "{step}");
        assert_eq!(fs::read(&home.key).unwrap(), new, "{step}");
        store.rotate_master().await.unwrap();
        all_there(&store, &pa).await;
    }
}

/// The caller went away, or the process could not replace the file: asking again goes on from there.
#[tokio::test]
async fn a_master_key_that_could_not_be_put_in_its_place_is_not_lost() {
    let home = Home::new();
    let store = home.open().await;
    let pa = fill(&store).await;
    // A directory cannot be replaced by a file.
    let old = fs::read(&home.key).unwrap();
    fs::remove_file(&home.key).unwrap();
    fs::create_dir(&home.key).unwrap();
    fs::write(home.key.join("x"), "").unwrap();
    let failed = store.rotate_master().await;
    assert!(matches!(failed, Err(RotationError::Key { .. })), "{failed:?}");
    all_there(&store, &pa).await;
    fs::remove_dir_all(&home.key).unwrap();
    fs::write(&home.key, old).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&home.key, private).unwrap();
    store.rotate_master().await.unwrap();
    store.close().await;
    all_there(&home.open().await, &pa).await;
}

#[tokio::test]
async fn a_key_from_the_operator_replaces_the_one_before_at_the_next_start() {
    let home = Home::new();
    let (first, second) = ("11".repeat(32), "22".repeat(32));
    let open = async |text: &str, before: Option<&str>| {
        let keys = Keys::given(text, before).unwrap();
        Sqlite::open(&home.db, keys, clock(), Arc::new(Os)).await
    };
    let store = open(&first, None).await.unwrap();
    let pa = fill(&store).await;
    let refused = store.rotate_master().await;
    assert!(matches!(refused, Err(RotationError::NotOurs)), "{refused:?}");
    store.rotate_data().await.unwrap();
    store.close().await;
    assert!(matches!(open(&second, None).await, Err(OpenError::WrongKey { .. })));
    let store = open(&second, Some(&first)).await.unwrap();
    all_there(&store, &pa).await;
    store.close().await;
    // From then on it does without the old one, and with it still.
    open(&second, None).await.unwrap().close().await;
    all_there(&open(&second, Some(&first)).await.unwrap(), &pa).await;
    assert!(matches!(open(&first, None).await, Err(OpenError::WrongKey { .. })));
    for bad in ["", "short", &"zz".repeat(32), &"1".repeat(63)] {
        assert!(matches!(Keys::given(bad, None), Err(KeysError::Given { .. })), "{bad}");
    }
}
