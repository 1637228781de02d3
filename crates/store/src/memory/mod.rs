//! Records in memory, for tests and simulations: the same answers as SQLite, nothing on disk,
//! and commits that fail when told to. What is absent: sealing, since nothing is at rest.

mod fault;
mod person;
mod records;
mod state;

mod account;
mod archive;
mod audit;
mod binding;
mod device;
mod egress;
mod issue;
mod job;
mod journal;
mod message;
mod release;
mod reply;
mod revision;
mod secret;
mod session;
mod smartbox;
mod token;
mod usage;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use futures_util::FutureExt;
use smartbox_core::BoxFuture;
use smartbox_core::id::Entropy;
use smartbox_core::store::{Store, StoreError, Work};
use smartbox_core::time::Clock;

use fault::Faults;
pub use fault::{Fault, Moment};
use records::Records;
use state::State;

const GUARD: Duration = Duration::from_secs(30);

/// Records that end with the process. Share it in an [`Arc`]; it is [`Store`] and
/// [`Release`](smartbox_core::secret::port::Release).
pub struct Memory {
    committed: RwLock<State>,
    /// Held by the work that is being done: one after another.
    turn: tokio::sync::Mutex<()>,
    faults: Mutex<Faults>,
    version: AtomicU64,
    signer: SigningKey,
    clock: Arc<dyn Clock>,
}

impl Memory {
    /// An empty store.
    pub fn new(clock: Arc<dyn Clock>, entropy: &dyn Entropy) -> Self {
        let signer = SigningKey::from_bytes(&crate::seal::fresh(entropy));
        Self {
            committed: RwLock::default(),
            turn: tokio::sync::Mutex::default(),
            faults: Mutex::default(),
            version: AtomicU64::new(0),
            signer,
            clock,
        }
    }

    /// Lets the `nth` commit from now (1 is the next) fail. Works that fail by themselves do not
    /// commit and are not counted.
    pub fn fail_commit(&self, nth: u64, moment: Moment, fault: Fault) {
        self.faults().add(nth, moment, fault);
    }

    /// Forgets the faults to come.
    pub fn heal(&self) {
        self.faults().heal();
    }

    /// As if another control plane took over: every write from now on is [`StoreError::Fenced`].
    pub fn fence_off(&self) {
        self.faults().fence_off();
    }

    /// How many commits there were, failed ones included.
    pub fn commits(&self) -> u64 {
        self.faults().commits()
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> State {
        self.committed.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does a work on a copy; the copy counts once the commit, with its faults, went through.
    async fn commit(&self, work: records::Job) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        self.faults().check_fence()?;
        let mut records = Records::new(self.view(), &self.signer, self.clock.now(), false);
        self.perform(&mut records, work).await?;
        let fault = self.faults().next_commit();
        if let Some((Moment::Before, fault)) = fault {
            return Err(fault.error());
        }
        *self.committed.write().unwrap_or_else(PoisonError::into_inner) = records.into_state();
        self.version.fetch_add(1, Ordering::Release);
        fault.map_or(Ok(()), |(_, fault)| Err(fault.error()))
    }

    async fn perform(
        &self,
        records: &mut Records<'_>,
        work: records::Job,
    ) -> Result<(), StoreError> {
        let attempt = AssertUnwindSafe(async { work(records).await }).catch_unwind();
        match tokio::time::timeout(GUARD, attempt).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(StoreError::Broken("a work panicked".into())),
            Err(_) => Err(StoreError::Broken("a work did not end in time".into())),
        }?;
        records.check_unspoilt()
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Store for Memory {
    /// A work whose future is dropped before it returns may not have been done.
    fn write(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.commit(Box::new(move |records| work(records))))
    }

    fn read(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut records = Records::new(self.view(), &self.signer, self.clock.now(), true);
            self.perform(&mut records, Box::new(move |records| work(records))).await
        })
    }

    fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}
