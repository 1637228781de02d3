//! What the engine room is made of, handed in by `boot`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smartbox_core::config::port::Configs;
use smartbox_core::egress::port::Egress;
use smartbox_core::engine::port::{Conversations, Engine};
use smartbox_core::home::place::Places;
use smartbox_core::home::port::Homes;
use smartbox_core::host::port::Host;
use smartbox_core::id::Entropy;
use smartbox_core::machine::port::Gauges;
use smartbox_core::model::port::ModelCalls;
use smartbox_core::sandbox::Limits;
use smartbox_core::sandbox::port::Runtime;
use smartbox_core::smartbox::Reason;
use smartbox_core::smartbox::plan::SleepPolicy;
use smartbox_core::snapshot::port::Snapshots;
use smartbox_core::store::Store;
use smartbox_core::telemetry::Telemetry;
use smartbox_core::time::Clock;

use crate::activity::Tracker;
use crate::doors::Doors;
use crate::egress::Book;
use crate::jobs::{Limits as JobLimits, Work};
use crate::kinds::Kinds;
use crate::snapshots::SnapshotSettings;

/// Everything that [`crate::Control`] works with.
pub struct Parts {
    /// Records.
    pub store: Arc<dyn Store>,
    /// The driver that makes sandboxes.
    pub runtime: Arc<dyn Runtime>,
    /// The machine that carries the sandboxes.
    pub host: Arc<dyn Host>,
    /// The templates that boxes are made from.
    pub kinds: Kinds,
    /// The same driver's hand on the files of homes.
    pub homes: Arc<dyn Homes>,
    /// The same driver's hand on homes as wholes.
    pub places: Arc<dyn Places>,
    /// Where snapshots of homes are kept.
    pub snapshots: Arc<dyn Snapshots>,
    /// What boxes and the machine use.
    pub gauges: Arc<dyn Gauges>,
    /// Counts what happens.
    pub telemetry: Arc<dyn Telemetry>,
    /// The engines that are installed; the first is the default.
    pub engines: Vec<EngineSlot>,
    /// The AI gateway.
    pub models: Arc<dyn ModelCalls>,
    /// The broker of everything else that leaves boxes.
    pub egress: Arc<dyn Egress>,
    /// What may leave, and what did; shared with the broker.
    pub book: Arc<Book>,
    /// Counts what keeps boxes awake; shared with edge and AI gateway.
    pub activity: Arc<Tracker>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Kinds of jobs besides the engine room's own.
    pub works: Vec<Arc<dyn Work>>,
    /// What the operator decided.
    pub settings: Settings,
}

/// An installed engine.
#[derive(Clone)]
pub struct EngineSlot {
    /// Its adapter.
    pub engine: Arc<dyn Engine>,
    /// What is known of its configuration.
    pub configs: Arc<dyn Configs>,
    /// What it remembers.
    pub conversations: Arc<dyn Conversations>,
    /// Where it is installed on the host.
    pub dir: PathBuf,
    /// Finds in the end of its log why it refuses to start: which part of its configuration, or the home.
    pub complaint: fn(&[u8]) -> Option<(Reason, String)>,
}

/// The origins of a box, by its host label: `pa` gives `http://pa.localhost:7777`.
pub type Origins = Arc<dyn Fn(&str) -> Vec<String> + Send + Sync>;

/// What the operator decided.
#[derive(Clone)]
pub struct Settings {
    /// Limits by the name of the tier.
    pub tiers: BTreeMap<String, Limits>,
    /// The tier of boxes that ask for none.
    pub default_tier: String,
    /// When idle boxes sleep.
    pub sleep: SleepPolicy,
    /// Whether to page frozen boxes out, where the machine can.
    pub page_out: bool,
    /// How much memory is given out, in percent of what the machine has; 0: as much as is asked for.
    pub overcommit: u32,
    /// Boots at the same time; a boot takes a whole processor for seconds.
    pub boots: usize,
    /// Multiplies the engine's deadlines; for slow machines.
    pub patience: u32,
    /// How often a running box is looked at.
    pub heartbeat: Duration,
    /// The model that boxes use, as `provider/model`.
    pub model: String,
    /// How many jobs run, and how long they are remembered.
    pub jobs: JobLimits,
    /// When snapshots are taken, and how long they are kept.
    pub snapshots: SnapshotSettings,
    /// How many connections of boxes are held.
    pub doors: Doors,
    /// Whom this machine trusts.
    pub trust: Trust,
    /// The origins of a box, by its host label.
    pub origins: Origins,
}

/// Certificates of authorities, in PEM (RFC 7468).
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// All that are trusted.
    pub all: Bytes,
    /// Those of them that a browser does not know by itself.
    pub private: String,
}

/// Who does something, for the audit: `cli:uid=1000`, `session:ses_…`, `platform`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor(pub String);

impl Actor {
    /// The platform itself.
    pub fn platform() -> Self {
        Self("platform".into())
    }
}
