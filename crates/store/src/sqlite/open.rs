//! Opening a database: is it ours, is its schema known, may we write, do the keys fit.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use smartbox_core::id::Entropy;
use smartbox_core::store::StoreError;
use smartbox_core::time::{Clock, Timestamp};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::mpsc;

use super::vault::{Current, Vault};
use super::writer::Writer;
use super::{Settings, Sqlite, error};
use crate::keys::Keys;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// `SMBX`, as the first migration writes it.
const APPLICATION_ID: i64 = 0x534D_4258;
const NOT_A_DATABASE: i32 = 26;
const CORRUPT: i32 = 11;
const BUSY: i32 = 5;
/// How long a statement waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Works that may wait for the writer before `write` itself waits.
const QUEUE: usize = 1024;

/// Why a database was not opened. Each says what a person can do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file could not be made or reached.
    #[error("the database {path} cannot be opened; look at the directory's permissions")]
    Io {
        /// The database.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file that is not ours.
    #[error("{path} is not a database of this program; move it away or choose another directory")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Damaged by the disk or by another program.
    #[error("the database {path} is damaged; restore it from a backup")]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: sqlx::Error,
    },
    /// Written by a newer version of this program. Nothing was changed.
    #[error(
        "the database {path} has schema {found}, and this program knows schemas up to {known}; run the newer program that wrote it"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest one known here.
        known: i64,
    },
    /// A migration that was applied is not the one of that number here.
    #[error(
        "the database {path} was made by another edition of this program (schema {schema} differs); run the program that made it"
    )]
    Different {
        /// The database.
        path: PathBuf,
        /// The first schema that differs.
        schema: i64,
    },
    /// The master key at hand is not the one that the database was made with.
    #[error(
        "the database {path} was made with master key {expected}, and the key file holds {found}; put the right key file back"
    )]
    WrongKey {
        /// The database.
        path: PathBuf,
        /// The fingerprint of its key.
        expected: String,
        /// The fingerprint of the key at hand.
        found: String,
    },
    /// Its own keys do not open: their rows were changed.
    #[error("the keys in the database {path} were changed; restore it from a backup")]
    Sealed {
        /// The database.
        path: PathBuf,
    },
    /// Another process holds it.
    #[error("the database {path} is in use by another process; stop that one first")]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// No room.
    #[error("the disk with the database {path} is full; make room and start again")]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// Anything else.
    #[error("the database {path} failed while it was opened")]
    Broken {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Sqlite {
    /// Opens the database at `path`, making it (mode 0600) if it is not there, brings its schema
    /// to the newest and takes the fence: an older store on the same file may write no more.
    /// Must be called within a tokio runtime, which it needs for as long as it is open.
    pub async fn open(
        path: &Path,
        keys: Keys,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        Self::open_with(path, keys, clock, entropy, Settings::default()).await
    }

    /// [`Sqlite::open`] with other settings.
    pub async fn open_with(
        path: &Path,
        keys: Keys,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        make_private(path).map_err(|source| OpenError::Io { path: path.into(), source })?;
        let failed = |e| classify(path, e);
        let mut options = options(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", "67108864");
        if let Some(pages) = settings.max_pages {
            options = options.pragma("max_page_count", pages.to_string());
        }
        check_ours(path).await?;
        let mut conn = options.connect().await.map_err(failed)?;
        migrate(path, &mut conn).await?;
        let vault = Vault::open(path, &mut conn, &keys, clock, entropy).await?;
        let keys = vault.settle(path, &mut conn, keys).await?;
        let clock = vault.clock.clone();
        let vault = Current::new(vault);
        // Last: a program that is refused takes nothing over.
        let fence = take_fence(&mut conn, clock.now()).await.map_err(failed)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(settings.readers)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_lazy_with(self::options(path).pragma("query_only", "ON"));
        let (orders, queue) = mpsc::channel(QUEUE);
        let version = Arc::new(AtomicU64::new(0));
        let writer = Writer::new(conn, fence, vault.clone(), version.clone(), settings.guard);
        tokio::spawn(writer.run(queue));
        let fence = u64::try_from(fence)
            .map_err(|_| broken(path, error::unreadable("owner.fence").into()))?;
        let master = tokio::sync::Mutex::new(keys);
        Ok(Self { orders, readers, vault, master, version, fence, guard: settings.guard })
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(100)
        .disable_statement_logging()
}

/// Makes an empty file before SQLite would: its own would be readable by others, and so would
/// the two files beside it, which take the database's permissions.
fn make_private(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the database was open to others; closing it to them");
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Before anything is written, the journal mode included.
async fn check_ours(path: &Path) -> Result<(), OpenError> {
    let failed = |e| classify(path, e);
    let mut conn = options(path).connect().await.map_err(failed)?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut conn)
        .await
        .map_err(failed)?;
    let id: i64 =
        sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut conn).await.map_err(failed)?;
    // The migrations' own table comes before the first migration; a start may have died between.
    let begun: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sqlite_schema WHERE tbl_name = '_sqlx_migrations'",
    )
    .fetch_one(&mut conn)
    .await
    .map_err(failed)?;
    conn.close().await.map_err(failed)?;
    if id == APPLICATION_ID || tables == begun {
        Ok(())
    } else {
        Err(OpenError::Foreign { path: path.into() })
    }
}

async fn migrate(path: &Path, conn: &mut SqliteConnection) -> Result<(), OpenError> {
    let known = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
    MIGRATIONS.run_direct(None, conn, false).await.map_err(|e| match e {
        MigrateError::VersionMissing(found) if found > known => {
            OpenError::Newer { path: path.into(), found, known }
        }
        MigrateError::VersionMissing(schema) | MigrateError::VersionMismatch(schema) => {
            OpenError::Different { path: path.into(), schema }
        }
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => classify(path, e),
        other => broken(path, Box::new(other)),
    })
}

async fn take_fence(conn: &mut SqliteConnection, now: Timestamp) -> Result<i64, sqlx::Error> {
    // To its end: it is committed, or fails for want of room, after its row was told.
    let fences =
        sqlx::query_scalar("UPDATE owner SET fence = fence + 1, since = ? RETURNING fence")
            .bind(now.0)
            .fetch_all(conn)
            .await?;
    fences.into_iter().next().ok_or(sqlx::Error::RowNotFound)
}

pub(super) fn classify(path: &Path, error: sqlx::Error) -> OpenError {
    let path = PathBuf::from(path);
    match error::code(&error) {
        Some(NOT_A_DATABASE) => return OpenError::Foreign { path },
        Some(CORRUPT) => return OpenError::Damaged { path, source: error },
        Some(BUSY) => return OpenError::Busy { path },
        _ => {}
    }
    match error::store(error) {
        StoreError::Full => OpenError::Full { path },
        StoreError::Broken(source) => OpenError::Broken { path, source },
        other => OpenError::Broken { path, source: Box::new(other) },
    }
}

pub(super) fn broken(path: &Path, source: Box<dyn std::error::Error + Send + Sync>) -> OpenError {
    OpenError::Broken { path: path.into(), source }
}
