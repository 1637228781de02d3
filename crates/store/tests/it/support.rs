//! What the tests share: a clock to turn, entropy, rows to begin with, and the drivers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use smartbox_core::account::Account;
use smartbox_core::audit::Act;
use smartbox_core::id::{
    AccountId, Entropy, IssueId, JobId, MessageId, PersonId, SessionId, SmartboxId, TokenId,
};
use smartbox_core::issue::{Issue, Kind as About, key};
use smartbox_core::job::{Job, JobState, Progress};
use smartbox_core::message::{Delivery, Message};
use smartbox_core::person::{Person, Right};
use smartbox_core::secret::Secret;
use smartbox_core::secret::port::Release;
use smartbox_core::session::{Root, Session};
use smartbox_core::smartbox::{Desired, Smartbox};
use smartbox_core::store::{Store, StoreError, write};
use smartbox_core::time::{Clock, Timestamp};
use smartbox_core::token::{Purpose, Token};
use smartbox_core::usage::Usage;
use smartbox_store::sqlite::Settings;
use smartbox_store::{Keys, Memory, OpenError, Sqlite};

pub(crate) const T0: Timestamp = Timestamp(1_800_000_000_000);

pub(crate) struct Os;
impl Entropy for Os {
    fn fill(&self, out: &mut [u8]) {
        getrandom::fill(out).unwrap();
    }
}

pub(crate) struct TestClock(AtomicI64);
impl TestClock {
    pub(crate) fn set(&self, at: Timestamp) {
        self.0.store(at.0, Ordering::SeqCst);
    }
}
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn clock() -> Arc<TestClock> {
    Arc::new(TestClock(AtomicI64::new(T0.0)))
}

/// One driver under test.
pub(crate) struct Subject {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) release: Arc<dyn Release>,
    pub(crate) driver: Driver,
    pub(crate) clock: Arc<TestClock>,
}

pub(crate) enum Driver {
    Sqlite(Arc<Sqlite>, #[expect(dead_code, reason = "removes the directory when dropped")] Home),
    Memory(Arc<Memory>),
}

impl Subject {
    pub(crate) async fn sqlite() -> Self {
        let home = Home::new();
        let clock = clock();
        let store = Sqlite::open(&home.db, home.keys(), clock.clone(), Arc::new(Os));
        let store = Arc::new(store.await.unwrap());
        Self {
            store: store.clone(),
            release: store.clone(),
            driver: Driver::Sqlite(store, home),
            clock,
        }
    }

    pub(crate) async fn memory() -> Self {
        let clock = clock();
        let store = Arc::new(Memory::new(clock.clone(), &Os));
        Self { store: store.clone(), release: store.clone(), driver: Driver::Memory(store), clock }
    }
}

/// A directory with a key file and a database, removed when dropped.
pub(crate) struct Home {
    _dir: tempfile::TempDir,
    pub(crate) key: PathBuf,
    pub(crate) db: PathBuf,
}

impl Home {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (key, db) = (dir.path().join("master.key"), dir.path().join("smartbox.db"));
        Self { _dir: dir, key, db }
    }

    pub(crate) fn keys(&self) -> Keys {
        Keys::load_or_create(&self.key, &self.db, &Os).unwrap()
    }

    pub(crate) async fn open(&self) -> Sqlite {
        self.try_open(Settings::default()).await.unwrap()
    }

    pub(crate) async fn try_open(&self, settings: Settings) -> Result<Sqlite, OpenError> {
        Sqlite::open_with(&self.db, self.keys(), clock(), Arc::new(Os), settings).await
    }

    /// A connection of an attacker who can write to the file but has no key.
    pub(crate) async fn raw(&self) -> sqlx::SqliteConnection {
        use sqlx::ConnectOptions;
        sqlx::sqlite::SqliteConnectOptions::new()
            .filename(&self.db)
            .foreign_keys(false)
            .connect()
            .await
            .unwrap()
    }
}

pub(crate) fn account(name: &str) -> Account {
    Account::new(AccountId::generate(&Os), name.to_owned(), T0)
}

pub(crate) fn smartbox(account: &AccountId, name: &str, slot: u32) -> Smartbox {
    let id = SmartboxId::generate(&Os);
    Smartbox {
        tier: "standard".to_owned(),
        engine: "puppet".to_owned(),
        desired: Desired::Auto,
        slot,
        ..Smartbox::new(id, account.clone(), name.to_owned(), T0)
    }
}

pub(crate) fn message(smartbox: &SmartboxId, text: &str) -> Message {
    Message {
        id: MessageId::generate(&Os),
        smartbox: smartbox.clone(),
        session: "main".to_owned(),
        channel: "cli".to_owned(),
        text: text.to_owned(),
        state: Delivery::Queued,
        reply: None,
        error: None,
        attempts: 0,
        created: T0,
        finished: None,
    }
}

pub(crate) fn job(account: &AccountId, kind: &str) -> Job {
    Job {
        id: JobId::generate(&Os),
        account: account.clone(),
        smartbox: None,
        kind: kind.to_owned(),
        actor: "owner".to_owned(),
        key: None,
        input: serde_json::Value::Null,
        state: JobState::Queued,
        asked: None,
        progress: Progress::default(),
        checkpoint: serde_json::Value::Null,
        result: None,
        failure: None,
        attempts: 0,
        interruptions: 0,
        created: T0,
        started: None,
        finished: None,
        expires: None,
    }
}

pub(crate) fn person(name: &str) -> Person {
    Person {
        id: PersonId::generate(&Os),
        name: name.to_owned(),
        email: Some(format!("{name}@example.com")),
        operator: None,
        disabled: false,
        created: T0,
    }
}

pub(crate) fn session(account: &AccountId, hash: &str, expires: Timestamp) -> Session {
    Session {
        id: SessionId::generate(&Os),
        hash: hash.to_owned(),
        account: account.clone(),
        person: None,
        smartbox: None,
        right: Right::Own,
        root: Root::default(),
        created: T0,
        seen: T0,
        expires,
        proved: None,
    }
}

pub(crate) fn token(account: &AccountId, hash: &str, expires: Option<Timestamp>) -> Token {
    Token {
        id: TokenId::generate(&Os),
        hash: hash.to_owned(),
        account: account.clone(),
        name: String::new(),
        person: None,
        smartbox: None,
        purpose: Purpose::Api,
        right: Right::Own,
        root: Root::default(),
        created: T0,
        expires,
        used: None,
    }
}

pub(crate) fn usage(smartbox: &SmartboxId, at: Timestamp) -> Usage {
    Usage {
        smartbox: smartbox.clone(),
        provider: "demo".to_owned(),
        model: "demo-1".to_owned(),
        input: 100,
        output: 10,
        cache_read: 5,
        cache_write: 2,
        status: 200,
        at,
        took_ms: 42,
    }
}

pub(crate) fn issue(of: &Smartbox, kind: About, at: Timestamp) -> Issue {
    Issue {
        id: IssueId::generate(&Os),
        account: Some(of.account.clone()),
        smartbox: Some(of.id.clone()),
        kind,
        severity: kind.severity(),
        key: key(kind, of.id.as_str()),
        message: "it failed".to_owned(),
        hint: "look".to_owned(),
        count: 1,
        first: at,
        last: at,
        resolved: None,
    }
}

pub(crate) fn act(account: &AccountId, action: &str) -> Act {
    Act {
        account: account.clone(),
        actor: "owner".to_owned(),
        action: action.to_owned(),
        smartbox: None,
        detail: String::new(),
        at: T0,
    }
}

pub(crate) fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// Adds an account with a box in slot 0, both of this name.
pub(crate) async fn with_box(store: &dyn Store, name: &str) -> (Account, Smartbox) {
    let owner = account(name);
    let row = smartbox(&owner.id, name, 0);
    let (a, b) = (owner.clone(), row.clone());
    write(store, move |tx| {
        Box::pin(async move {
            tx.accounts().add(a).await?;
            tx.boxes().add(b).await
        })
    })
    .await
    .unwrap();
    (owner, row)
}

pub(crate) fn missing(error: &StoreError, what: &str) -> bool {
    matches!(error, StoreError::Missing { what: w } if *w == what)
}

pub(crate) fn exists(error: &StoreError, what: &str) -> bool {
    matches!(error, StoreError::Exists { what: w } if *w == what)
}
