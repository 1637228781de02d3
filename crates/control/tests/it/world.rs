//! A world for a control room: records in memory, simulated sandboxes, a scripted engine, and time that
//! runs only when everybody waits.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use smartbox_control::{
    Actor, Control, EngineSlot, Kinds, NewMessage, NewSmartbox, Parts, Settings, Tracker,
};
use smartbox_core::home::port::Homes;
use smartbox_core::home::{HomeOf, WriteOrder};
use smartbox_core::host::HostMemory;
use smartbox_core::host::port::Host;
use smartbox_core::id::{Entropy, SmartboxId};
use smartbox_core::message::Message;
use smartbox_core::model::Caller;
use smartbox_core::model::port::ModelCalls;
use smartbox_core::sandbox::Limits;
use smartbox_core::sandbox::port::{Conn, Incoming};
use smartbox_core::smartbox::plan::SleepPolicy;
use smartbox_core::smartbox::{Desired, Kind, Reason, Smartbox, State};
use smartbox_core::snapshot::port::Snapshots;
use smartbox_core::telemetry::Quiet;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_core::{BoxFuture, store};
use smartbox_runtime::sim::Sim;

use crate::copies::Copies;
use crate::engine::Script;
use crate::steps::Steps;

pub const FREEZE_AFTER: Duration = Duration::from_secs(600);
pub const STOP_AFTER: Duration = Duration::from_secs(7200);

/// The time of tokio's paused clock.
pub struct Paused(tokio::time::Instant, std::sync::atomic::AtomicI64);

impl Paused {
    /// Somebody sets the clock back.
    pub fn set_back(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap();
        self.1.fetch_add(by, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        let back = self.1.load(std::sync::atomic::Ordering::SeqCst);
        Timestamp(1_800_000_000_000 - back).plus(self.0.elapsed())
    }
}

/// Counts upwards: unique is enough here.
#[derive(Default)]
pub struct Counting(std::sync::atomic::AtomicU64);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) {
        let mut n = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        for byte in out {
            *byte = (n % 32) as u8;
            n /= 32;
        }
    }
}

struct NoModels;

impl ModelCalls for NoModels {
    fn serve(&self, _: Caller, conn: Conn) -> BoxFuture<'static, ()> {
        Box::pin(stay("the models", conn))
    }
}

impl smartbox_core::egress::port::Egress for NoModels {
    fn authority(
        &self,
    ) -> Result<smartbox_core::egress::port::Authority, smartbox_core::egress::port::BoxError> {
        Ok(smartbox_core::egress::port::Authority {
            certificate: "a certificate".into(),
            key: smartbox_core::secret::Secret::new("a key".into()),
        })
    }

    fn serve(&self, _: SmartboxId, call: Incoming) -> BoxFuture<'static, ()> {
        Box::pin(stay("the proxy", call.conn))
    }

    fn serve_names(&self, _: SmartboxId, call: Incoming) -> BoxFuture<'static, ()> {
        Box::pin(say("the name service", call.conn))
    }

    fn forget(&self, _: &SmartboxId) {}
}

/// Says who serves a connection.
async fn say(what: &'static str, mut conn: Conn) {
    use futures_util::AsyncWriteExt as _;
    let _ = conn.write_all(what.as_bytes()).await;
    let _ = conn.close().await;
}

/// The same, and goes on until the box hangs up. Nothing more is said: whoever reads to the end has to
/// say something, or to hang up.
async fn stay(what: &'static str, mut conn: Conn) {
    use futures_util::{AsyncReadExt as _, AsyncWriteExt as _};
    let _ = conn.write_all(what.as_bytes()).await;
    let _ = conn.read(&mut [0]).await;
    let _ = conn.close().await;
}

/// A machine with 5 GiB.
struct Machine;

impl Host for Machine {
    fn memory(&self) -> Option<HostMemory> {
        Some(HostMemory { total: 5 << 30, available: 4 << 30 })
    }
}

/// Those that ship, and one of the owner's own.
fn kinds() -> Kinds {
    let mut kinds = Kinds::shipped().unwrap();
    kinds.add(OWN_KIND).unwrap();
    kinds
}

const OWN_KIND: &str = r#"
name = "legal"
base = "custom"
description = "Reads contracts"
tier = "large"
notice = "It is no lawyer."
[settings.ui]
colour = "blue"
[files]
"SOUL.md" = "You read contracts."
"AGENTS.md" = "Begin with the last page."
"knowledge/law.md" = "None."
"#;

/// Changes older than this are to be in a generation.
pub const OBJECTIVE: Duration = Duration::from_secs(60);

pub struct World {
    pub store: Arc<dyn store::Store>,
    /// The same, to make it fail.
    pub memory: Arc<smartbox_store::Memory>,
    pub sim: Arc<Sim>,
    pub script: Arc<Script>,
    pub clock: Arc<Paused>,
    pub tracker: Arc<Tracker>,
    pub control: Arc<Control>,
    pub book: Arc<smartbox_control::Book>,
    pub steps: Steps,
    /// Where snapshots are.
    pub copies: Arc<Copies>,
    snapshots: Arc<dyn Snapshots>,
    entropy: Arc<Counting>,
}

impl World {
    pub async fn new() -> Self {
        Self::around(|records| records).await
    }

    /// With something around the records.
    pub async fn around(wrap: impl FnOnce(Arc<dyn store::Store>) -> Arc<dyn store::Store>) -> Self {
        let copies = Copies::new();
        Self::made(wrap, copies.clone(), copies).await
    }

    /// Another installation over the same storage of snapshots.
    pub async fn beside(&self) -> Self {
        Self::made(|records| records, self.copies.clone(), self.snapshots.clone()).await
    }

    /// With another storage of snapshots than the one in memory.
    pub async fn keeping(snapshots: Arc<dyn Snapshots>) -> Self {
        Self::made(|records| records, Copies::new(), snapshots).await
    }

    async fn made(
        wrap: impl FnOnce(Arc<dyn store::Store>) -> Arc<dyn store::Store>,
        copies: Arc<Copies>,
        snapshots: Arc<dyn Snapshots>,
    ) -> Self {
        let clock = Arc::new(Paused(tokio::time::Instant::now(), 0.into()));
        let entropy = Arc::new(Counting::default());
        let memory = Arc::new(smartbox_store::Memory::new(clock.clone(), &*entropy));
        let store = wrap(memory.clone());
        let steps = Steps::default();
        let sim = Sim::new(Arc::new(|_, _| Box::pin(async {})));
        let script = Script::new(sim.clone(), clock.clone());
        let tracker = Tracker::new(clock.clone());
        let parts = parts(&store, &sim, &script, &clock, &tracker, &entropy, &steps, &snapshots);
        let book = parts.book.clone();
        let control = Control::open(parts).await.unwrap();
        Self {
            book,
            store,
            sim,
            script,
            clock,
            tracker,
            control,
            steps,
            memory,
            copies,
            snapshots,
            entropy,
        }
    }

    /// The control plane is killed: nothing of it acts any more. Another opens on the same records.
    pub async fn kill_and_open(&mut self) {
        self.control.drain().await;
        self.tracker = Tracker::new(self.clock.clone());
        let parts = parts(
            &self.store,
            &self.sim,
            &self.script,
            &self.clock,
            &self.tracker,
            &self.entropy,
            &self.steps,
            &self.snapshots,
        );
        self.book = parts.book.clone();
        self.control = Control::open(parts).await.unwrap();
    }

    pub async fn new_box(&self, name: &str, desired: Desired) -> Smartbox {
        let account = self.control.ensure_account("me").await.unwrap();
        let new = NewSmartbox::of(name, Kind::CUSTOM, desired);
        self.control.create(&actor(), &account.id, new).await.unwrap()
    }

    pub async fn running(&self, name: &str, desired: Desired) -> SmartboxId {
        let row = self.new_box(name, desired).await;
        self.settle(&row.id, State::Running).await;
        row.id
    }

    pub async fn settle(&self, id: &SmartboxId, state: State) -> Smartbox {
        let settled = self.control.settle(id, &[state], Duration::from_secs(3600)).await;
        settled.unwrap_or_else(|error| panic!("{id} did not become {state}: {error:?}"))
    }

    pub async fn say(&self, id: &SmartboxId, text: &str) -> Message {
        let new = NewMessage { id: None, session: None, channel: "test".into(), text: text.into() };
        self.control.accept(id, new).await.unwrap()
    }

    /// Writes a file of a box's home, as something in the box does.
    pub async fn write(&self, id: &SmartboxId, path: &str, text: &str) {
        let of = HomeOf { smartbox: id.clone(), slot: 0, disk_bytes: 0 };
        let order = WriteOrder { parents: true, ..WriteOrder::default() };
        let mut draft = self.sim.write(of, path.into(), order).await.unwrap();
        draft.add(text.to_owned().into()).await.unwrap();
        draft.place().await.unwrap();
    }

    /// What a file of a box's home holds; nothing if it is not there.
    pub async fn read(&self, id: &SmartboxId, path: &str) -> Option<String> {
        let of = HomeOf { smartbox: id.clone(), slot: 0, disk_bytes: 0 };
        let file = self.sim.open(of, path.into()).await.ok()?;
        let pieces: Vec<_> = file.pieces(0, u64::MAX).collect().await;
        let bytes: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.unwrap().to_vec()).collect();
        Some(String::from_utf8(bytes).unwrap())
    }

    /// Waits until the message is answered or given up.
    pub async fn answer(&self, message: &Message) -> Message {
        tokio::time::timeout(Duration::from_secs(600), async {
            loop {
                let now = self.control.message(&message.id).await.unwrap();
                if now.state.is_final() {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await
        .expect("an answer")
    }
}

pub fn actor() -> Actor {
    Actor("test".into())
}

#[expect(clippy::too_many_arguments, reason = "everything that a control room is made of")]
fn parts(
    store: &Arc<dyn store::Store>,
    sim: &Arc<Sim>,
    script: &Arc<Script>,
    clock: &Arc<Paused>,
    tracker: &Arc<Tracker>,
    entropy: &Arc<Counting>,
    steps: &Steps,
    snapshots: &Arc<dyn Snapshots>,
) -> Parts {
    let limits = |memory_bytes| Limits { cpu_millis: 0, memory_bytes, pids: 0, disk_bytes: 0 };
    Parts {
        store: store.clone(),
        runtime: sim.clone(),
        host: Arc::new(Machine),
        kinds: kinds(),
        homes: sim.clone(),
        places: sim.clone(),
        snapshots: snapshots.clone(),
        gauges: sim.clone(),
        telemetry: Arc::new(Quiet),
        engines: vec![EngineSlot {
            engine: script.clone(),
            configs: script.clone(),
            conversations: script.clone(),
            dir: "/nowhere".into(),
            complaint,
        }],
        models: Arc::new(NoModels),
        egress: Arc::new(NoModels),
        book: smartbox_control::Book::new(smartbox_control::BookParts {
            store: store.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            kinds: kinds(),
            presets: smartbox_control::Presets::shipped().unwrap(),
            services: smartbox_control::Services::shipped().unwrap(),
            everywhere: vec![],
        }),
        activity: tracker.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        works: steps.works(),
        settings: Settings {
            tiers: [("small".to_owned(), limits(0)), ("large".to_owned(), limits(2 << 30))].into(),
            default_tier: "small".into(),
            sleep: SleepPolicy { freeze_after: FREEZE_AFTER, stop_after: STOP_AFTER },
            page_out: true,
            overcommit: 100,
            boots: 4,
            patience: 1,
            heartbeat: Duration::from_secs(5),
            model: "demo/demo".into(),
            jobs: smartbox_control::jobs::Limits { at_once: 4, per_box: 2, ..Default::default() },
            snapshots: smartbox_control::SnapshotSettings {
                objective: OBJECTIVE,
                keep: smartbox_core::snapshot::Keep { last: 3, ..Default::default() },
                tombstones: Duration::from_hours(30 * 24),
                drill_every: None,
                exclude: vec![],
            },
            doors: smartbox_control::Doors {
                models: smartbox_control::Door { each: 2, all: 3 },
                proxy: smartbox_control::Door { each: 2, all: 3 },
            },
            trust: smartbox_control::Trust::default(),
            origins: Arc::new(|label| vec![format!("http://{label}.localhost")]),
        },
    }
}

fn complaint(log: &[u8]) -> Option<(Reason, String)> {
    String::from_utf8_lossy(log).lines().last().map(|line| (Reason::BadConfig, line.to_owned()))
}
