//! Records in one SQLite file. One task owns the only connection that writes and gathers works
//! into common commits; readers have a small pool. What is absent: the lock on the data
//! directory, and any thought of several machines.

mod account;
mod archive;
mod audit;
mod binding;
mod device;
mod egress;
mod error;
mod grant;
mod issue;
mod job;
mod journal;
mod labels;
mod message;
mod open;
mod person;
mod read;
mod records;
mod release;
mod reply;
mod revision;
mod rotate;
mod secret;
mod session;
mod smartbox;
mod token;
mod usage;
mod vault;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use smartbox_core::BoxFuture;
use smartbox_core::store::{Store, StoreError, Work};
use sqlx::SqlitePool;
use tokio::sync::{mpsc, oneshot};

use crate::keys::Keys;
pub use open::OpenError;
pub use rotate::sealed_tables;
use vault::Current;
use writer::{Job, Order};

/// What may be chosen about a store; the defaults are right for the platform.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Connections for reading.
    pub readers: u32,
    /// A work that takes longer is rolled back: it waits for something other than records.
    pub guard: Duration,
    /// The most pages of 4096 bytes that the database may have; none for no limit of our own.
    pub max_pages: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { readers: 4, guard: Duration::from_secs(30), max_pages: None }
    }
}

/// An open database. Share it in an [`Arc`]; it is [`Store`] and
/// [`Release`](smartbox_core::secret::port::Release).
pub struct Sqlite {
    orders: mpsc::Sender<Order>,
    readers: SqlitePool,
    vault: Current,
    /// What data keys are wrapped by.
    master: tokio::sync::Mutex<Keys>,
    version: Arc<AtomicU64>,
    fence: u64,
    guard: Duration,
}

impl Sqlite {
    /// The token that this store took when it was opened. A later opening of the same file takes
    /// the next one, and from then on every write here is answered [`StoreError::Fenced`].
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// Finishes the works that were given before, then closes the file. Without it the same
    /// happens in the background once the last reference is dropped.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.orders.send(Order::Close(done)).await.is_ok() {
            // An error means that the writer has ended already.
            let _ = closed.await;
        }
        self.readers.close().await;
    }

    async fn queue(&self, job: Job) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.orders.send(Order::Work(job, answer)).await.map_err(|_| error::closed())?;
        answered.await.unwrap_or_else(|_| Err(error::closed()))
    }
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sqlite").field("fence", &self.fence).finish_non_exhaustive()
    }
}

impl Store for Sqlite {
    /// The work is done even if the returned future is dropped after it was queued.
    fn write(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.queue(Box::new(move |records| work(records))))
    }

    fn read(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let vault = self.vault.now();
            read::read(&self.readers, &vault, self.guard, work).await
        })
    }

    fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}
