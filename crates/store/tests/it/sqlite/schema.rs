use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use smartbox_store::sqlite::Settings;
use smartbox_store::{Keys, OpenError, Sqlite};
use sqlx::migrate::Migrator;
use sqlx::{ConnectOptions, Connection, Executor};

use crate::support::{Home, Os, account, clock, with_box};
use crate::{read, write};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

#[tokio::test]
async fn every_schema_upgrades_to_the_newest() {
    let versions: Vec<i64> = MIGRATIONS.iter().map(|m| m.version).collect();
    assert!(!versions.is_empty());
    for version in versions {
        let home = Home::new();
        home.keys();
        let mut conn = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(&home.db)
            .create_if_missing(true)
            .connect()
            .await
            .unwrap();
        MIGRATIONS.run_to(version, &mut conn).await.unwrap();
        conn.close().await.unwrap();
        let store = home.open().await;
        with_box(&store, "pa").await;
        store.close().await;
        let store = home.open().await;
        assert_eq!(read!(&store, |tx| tx.boxes().list(None).await).unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_start_that_died_before_its_first_migration_is_taken_up() {
    let home = Home::new();
    home.keys();
    let store = home.open().await;
    store.close().await;
    for sql in [
        "",
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)",
    ] {
        fs::write(&home.db, "").unwrap();
        let mut raw = home.raw().await;
        raw.execute(sql).await.unwrap();
        raw.close().await.unwrap();
        let store = home.open().await;
        with_box(&store, "pa").await;
        store.close().await;
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let home = Home::new();
    let store = home.open().await;
    with_box(&store, "pa").await;
    store.close().await;
    let mut raw = home.raw().await;
    raw.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', 1, x'00', 0)",
    )
    .await
    .unwrap();
    let fence: i64 =
        sqlx::query_scalar("SELECT fence FROM owner").fetch_one(&mut raw).await.unwrap();
    let error = home.try_open(Settings::default()).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 9999, .. }), "{error}");
    assert!(error.to_string().contains("newer program"), "{error}");
    let after: i64 =
        sqlx::query_scalar("SELECT fence FROM owner").fetch_one(&mut raw).await.unwrap();
    assert_eq!(fence, after, "a refused program takes nothing over");
}

#[tokio::test]
async fn a_schema_that_differs_is_refused() {
    let home = Home::new();
    home.open().await.close().await;
    let mut raw = home.raw().await;
    raw.execute("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").await.unwrap();
    raw.close().await.unwrap();
    let error = home.try_open(Settings::default()).await.unwrap_err();
    assert!(matches!(error, OpenError::Different { schema: 1, .. }), "{error}");
}

#[tokio::test]
async fn what_is_not_ours_is_refused_and_left_alone() {
    let home = Home::new();
    home.keys();
    let text = "not a database at all, but long enough to be taken for one. ".repeat(20);
    fs::write(&home.db, &text).unwrap();
    let error = home.try_open(Settings::default()).await.unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert_eq!(fs::read_to_string(&home.db).unwrap(), text);

    fs::remove_file(&home.db).unwrap();
    let home = Home::new();
    home.keys();
    fs::write(&home.db, "").unwrap();
    let mut raw = home.raw().await;
    raw.execute("CREATE TABLE theirs (x)").await.unwrap();
    raw.close().await.unwrap();
    let before = fs::read(&home.db).unwrap();
    let error = home.try_open(Settings::default()).await.unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert_eq!(fs::read(&home.db).unwrap(), before);
}

#[tokio::test]
async fn the_files_are_closed_to_others() {
    let home = Home::new();
    home.keys();
    fs::write(&home.db, "").unwrap();
    fs::set_permissions(&home.db, fs::Permissions::from_mode(0o644)).unwrap();
    let store = home.open().await;
    with_box(&store, "pa").await;
    for file in fs::read_dir(home.db.parent().unwrap()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
}

#[tokio::test]
async fn a_directory_that_is_missing_is_said() {
    let home = Home::new();
    let db = home.db.parent().unwrap().join("no/such/smartbox.db");
    let error = Sqlite::open(&db, Keys::ephemeral(&Os), clock(), Arc::new(Os)).await.unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
}

#[tokio::test]
async fn everything_is_there_after_closing_and_opening() {
    let home = Home::new();
    let store = home.open().await;
    let (owner, pa) = with_box(&store, "pa").await;
    let act = crate::support::act(&owner.id, "box.add");
    write!(&store, |tx| tx.audit().append(act).await).unwrap();
    store.close().await;
    let store = home.open().await;
    let found = read!(&store, |tx| tx.boxes().list(None).await).unwrap();
    assert_eq!(found, [pa]);
    let row = account("next");
    let id = owner.id.clone();
    write!(&store, |tx| tx.accounts().add(row).await).unwrap();
    assert_eq!(read!(&store, |tx| tx.audit().verify(id).await).unwrap(), None);
}

#[tokio::test]
async fn boxes_of_the_first_schema_keep_their_kind_their_home_and_one_pa() {
    let home = Home::new();
    home.keys();
    let mut conn = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&home.db)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    MIGRATIONS.run_to(1, &mut conn).await.unwrap();
    let account = account("me").id;
    let sql = format!("INSERT INTO accounts (id, name, created) VALUES ('{account}', 'me', 1)");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    for (slot, (name, kind)) in
        [("site", "project"), ("pa", "pa"), ("late", "pa")].into_iter().enumerate()
    {
        let id = crate::support::smartbox(&account, name, 0).id;
        let sql = format!(
            "INSERT INTO smartboxes (id, account, name, label, kind, tier, engine, desired, state,
                 epoch, restart, restarted, slot, last_active, failures, removing, created)
             VALUES ('{id}', '{account}', '{name}', '{name}', '{kind}', 'standard-2', 'puppet',
                 'auto', 'stopped', {slot}, 0, 0, {slot}, 1, 0, 0, {slot})"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    }
    conn.close().await.unwrap();
    let store = home.open().await;
    let rows = read!(&store, |tx| tx.boxes().list(None).await).unwrap();
    let told = rows.iter().map(|row| {
        let running = row.running_tier.as_deref();
        (row.name.as_str(), row.kind.as_str(), row.base.as_str(), row.furnished, running)
    });
    let told: Vec<_> = told.collect();
    assert_eq!(
        told,
        [
            ("late", "custom", "custom", true, Some("standard-2")),
            ("pa", "pa", "pa", true, Some("standard-2")),
            ("site", "project", "project", true, None),
        ]
    );
}
