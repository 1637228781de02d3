//! A gateway with a store, a vault, an activity counter and a clock of the tests' own.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use smartbox_ai_gateway::{
    DemoConfig, Gateway, Limits, Parts, Protocol, ProviderConfig, Timeouts, known_providers,
};
use smartbox_core::BoxFuture;
use smartbox_core::activity::{Activity, Busy, Doing};
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Secret;
use smartbox_core::secret::port::Release;
use smartbox_core::store::{Doings, Holdings, Store, StoreError, Visitors, Work};
use smartbox_core::time::{Clock, Timestamp};
use smartbox_core::usage::port::Ledger;
use smartbox_core::usage::{Total, Usage};
use tokio::sync::watch;

use super::{KEY, soon};

/// Everything around the gateway.
pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) ledger: Rows,
    pub(crate) vault: Vault,
    pub(crate) busy: Counter,
    /// Whether the box may be answered by the demo alone.
    pub(crate) demo_only: bool,
}

/// A provider at an address, with the canary key.
pub(crate) fn provider(name: &str, protocol: Protocol, base: &str) -> ProviderConfig {
    let mut config = known_providers(&|_| None).remove(0);
    config.name = name.to_owned();
    config.protocol = protocol;
    config.base_url = base.to_owned();
    config.secret = Some("TEST_KEY".to_owned());
    config.timeouts = Timeouts::default();
    config
}

impl World {
    /// A world with these providers and a key for them.
    pub(crate) fn new(providers: Vec<ProviderConfig>) -> Self {
        Self::with(providers, |_| {})
    }

    /// The same, with something changed.
    pub(crate) fn with(providers: Vec<ProviderConfig>, change: impl FnOnce(&mut Parts)) -> Self {
        logs();
        let (ledger, vault, busy) = (Rows::default(), Vault::default(), Counter::default());
        vault.set(Some(KEY));
        let mut parts = Parts {
            store: Arc::new(ledger.clone()),
            release: Arc::new(vault.clone()),
            activity: Arc::new(busy.clone()),
            telemetry: Arc::new(smartbox_core::telemetry::Quiet),
            cause: Arc::new(|_, _| {}),
            clock: Arc::new(Ticks::default()),
            providers,
            preferred: None,
            demo: Some(DemoConfig::default()),
            limits: Limits::default(),
        };
        change(&mut parts);
        let gateway = Gateway::new(parts).unwrap();
        Self { gateway, ledger, vault, busy, demo_only: false }
    }

    /// The only row of the ledger, once no call is in flight. The canary is looked for as well.
    pub(crate) async fn only_row(&self) -> Usage {
        let rows = self.rows().await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.into_iter().next().unwrap()
    }

    /// All rows, once no call is in flight.
    pub(crate) async fn rows(&self) -> Vec<Usage> {
        self.busy.quiet().await;
        soon(self.gateway.settled()).await;
        assert!(!logs().text().contains(KEY), "the key is in a log");
        self.ledger.rows.lock().unwrap().clone()
    }
}

/// A ledger in memory; nothing else of a store is there.
#[derive(Clone, Default)]
pub(crate) struct Rows {
    rows: Arc<Mutex<Vec<Usage>>>,
    pub(crate) broken: Arc<std::sync::atomic::AtomicBool>,
}

impl Store for Rows {
    fn write(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { work(&mut self.clone()).await })
    }
    fn read(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(work)
    }
    fn version(&self) -> u64 {
        panic!("the gateway has no business here")
    }
}

impl Holdings for Rows {
    fn accounts(&mut self) -> &mut dyn smartbox_core::account::port::Accounts {
        panic!("the gateway has no business here")
    }
    fn bindings(&mut self) -> &mut dyn smartbox_core::egress::port::Bindings {
        panic!("the gateway has no business here")
    }
    fn boxes(&mut self) -> &mut dyn smartbox_core::smartbox::port::Boxes {
        panic!("the gateway has no business here")
    }
    fn egress_rules(&mut self) -> &mut dyn smartbox_core::egress::port::EgressRules {
        panic!("the gateway has no business here")
    }
    fn messages(&mut self) -> &mut dyn smartbox_core::message::port::Messages {
        panic!("the gateway has no business here")
    }
    fn revisions(&mut self) -> &mut dyn smartbox_core::config::port::Revisions {
        panic!("the gateway has no business here")
    }
    fn secrets(&mut self) -> &mut dyn smartbox_core::secret::port::Secrets {
        panic!("the gateway has no business here")
    }
}

impl Visitors for Rows {
    fn devices(&mut self) -> &mut dyn smartbox_core::device::port::Devices {
        panic!("the gateway has no business here")
    }
    fn grants(&mut self) -> &mut dyn smartbox_core::person::port::Grants {
        panic!("the gateway has no business here")
    }
    fn people(&mut self) -> &mut dyn smartbox_core::person::port::People {
        panic!("the gateway has no business here")
    }
    fn tokens(&mut self) -> &mut dyn smartbox_core::token::port::Tokens {
        panic!("the gateway has no business here")
    }
    fn sessions(&mut self) -> &mut dyn smartbox_core::session::port::Sessions {
        panic!("the gateway has no business here")
    }
}

impl Doings for Rows {
    fn archives(&mut self) -> &mut dyn smartbox_core::snapshot::record::Archives {
        panic!("the gateway has no business here")
    }
    fn audit(&mut self) -> &mut dyn smartbox_core::audit::port::Audit {
        panic!("the gateway has no business here")
    }
    fn egress_uses(&mut self) -> &mut dyn smartbox_core::egress::port::EgressUses {
        panic!("the gateway has no business here")
    }
    fn issues(&mut self) -> &mut dyn smartbox_core::issue::port::Issues {
        panic!("the gateway has no business here")
    }
    fn journal(&mut self) -> &mut dyn smartbox_core::journal::port::Journal {
        panic!("the gateway has no business here")
    }
    fn usage(&mut self) -> &mut dyn Ledger {
        self
    }
    fn jobs(&mut self) -> &mut dyn smartbox_core::job::port::Jobs {
        panic!("the gateway has no business here")
    }
    fn replies(&mut self) -> &mut dyn smartbox_core::reply::port::Replies {
        panic!("the gateway has no business here")
    }
}

impl Ledger for Rows {
    fn record(&mut self, usage: Usage) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            if self.broken.load(std::sync::atomic::Ordering::SeqCst) {
                return Err(StoreError::Full);
            }
            self.rows.lock().unwrap().push(usage);
            Ok(())
        })
    }
    fn total(&mut self, _: SmartboxId, _: Timestamp) -> BoxFuture<'_, Result<Total, StoreError>> {
        Box::pin(async { Ok(Total::default()) })
    }
    fn sum(
        &mut self,
        _: Option<smartbox_core::id::AccountId>,
        _: Timestamp,
    ) -> BoxFuture<'_, Result<Total, StoreError>> {
        Box::pin(async { Ok(Total::default()) })
    }
}

/// A vault with one key in it, or none, or broken.
#[derive(Clone, Default)]
pub(crate) struct Vault {
    key: Arc<Mutex<Option<String>>>,
    pub(crate) broken: Arc<std::sync::atomic::AtomicBool>,
}

impl Vault {
    /// Sets the key.
    pub(crate) fn set(&self, key: Option<&str>) {
        *self.key.lock().unwrap() = key.map(str::to_owned);
    }
}

impl Release for Vault {
    fn release(
        &self,
        _: SmartboxId,
        _: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(async {
            if self.broken.load(std::sync::atomic::Ordering::SeqCst) {
                return Err(StoreError::Sealed);
            }
            Ok(self.key.lock().unwrap().clone().map(Secret::new))
        })
    }

    fn release_of(
        &self,
        id: SmartboxId,
        _: smartbox_core::secret::Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        self.release(id, name)
    }

    fn peek_of(
        &self,
        id: SmartboxId,
        _: smartbox_core::secret::Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        self.release(id, name)
    }
}

/// Counts what keeps boxes awake.
#[derive(Clone)]
pub(crate) struct Counter(Arc<watch::Sender<usize>>);

impl Default for Counter {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Counter {
    /// Waits until nothing is in flight.
    pub(crate) async fn quiet(&self) {
        soon(self.0.subscribe().wait_for(|count| *count == 0)).await.unwrap();
    }

    /// Waits until so many calls are in flight.
    pub(crate) async fn reaches(&self, wanted: usize) {
        soon(self.0.subscribe().wait_for(|count| *count == wanted)).await.unwrap();
    }
}

impl Activity for Counter {
    fn begin(&self, _: &SmartboxId, doing: Doing) -> Box<dyn Busy> {
        assert_eq!(doing, Doing::ModelCall);
        self.0.send_modify(|count| *count += 1);
        Box::new(Guard(self.0.clone()))
    }
    fn touch(&self, _: &SmartboxId) {
        panic!("a model call is no person");
    }
}

struct Guard(Arc<watch::Sender<usize>>);
impl Busy for Guard {}
impl Drop for Guard {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// A clock that goes on by a second whenever it is looked at.
#[derive(Default)]
struct Ticks(std::sync::atomic::AtomicI64);
impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1000, std::sync::atomic::Ordering::SeqCst))
    }
}

/// Everything that is logged in this process.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// As text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The log, at its most talkative.
pub(crate) fn logs() -> Logs {
    static LOGS: OnceLock<Logs> = OnceLock::new();
    LOGS.get_or_init(|| {
        let logs = Logs::default();
        let writer = logs.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .init();
        logs
    })
    .clone()
}

/// A short time, for tests in which something must run out.
pub(crate) const SHORT: Duration = Duration::from_millis(300);
