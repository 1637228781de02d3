//! What every handler works with. One per process.

use std::sync::Arc;

use smartbox_control::Control;
use smartbox_core::account::Account;
use smartbox_core::id::{Entropy, random_text};
use smartbox_core::limit::port::Meter;
use smartbox_core::sandbox::Capabilities;
use smartbox_core::secret::port::Rotation;
use smartbox_core::smartbox::Desired;
use smartbox_core::store::Store;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_edge::Edge;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::buckets::Buckets;
use crate::config::devices::Devices;
use crate::denials::Denials;
use crate::http::LastLook;
use crate::metrics::Metrics;
use crate::sign_in::SignIn;
use crate::site::Site;

/// The state of the HTTP side. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
    run: Arc<str>,
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl App {
    /// From its parts.
    pub fn new(inner: Inner) -> Self {
        let run = random_text(&*inner.entropy, 16).into();
        Self { inner: Arc::new(inner), run }
    }

    /// A name for this run of the process: what another run has left undone is told by it.
    pub fn run(&self) -> &str {
        &self.run
    }
}

/// The parts.
pub struct Inner {
    /// The engine room.
    pub control: Arc<Control>,
    /// Records, for what is not the engine room's: secrets.
    pub store: Arc<dyn Store>,
    /// Changes the keys that secrets are sealed under.
    pub rotation: Arc<dyn Rotation>,
    /// Tokens, tickets and sessions.
    pub access: Arc<Access>,
    /// Counts of what is limited.
    pub meter: Arc<dyn Meter>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Those who vouch for people.
    pub sign_in: Arc<SignIn>,
    /// Where it is seen from outside.
    pub site: Site,
    /// The account of the local command line and of the master token.
    pub account: Account,
    /// Opens buckets that boxes are imported from.
    pub buckets: Buckets,
    /// What the platform says of itself.
    pub about: About,
    /// What lets devices in.
    pub devices: Devices,
    /// Nobody needs a token: a button signs in to the first account.
    pub dev: bool,
    /// Whether it could work when somebody asked last.
    pub ready: LastLook,
    /// What was refused.
    pub denials: Denials,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The edge, for how much it has to do.
    pub edge: Edge,
    /// Cancelled when the platform goes down.
    pub draining: CancellationToken,
}

/// What the platform says of itself.
#[derive(Debug, Clone)]
pub struct About {
    /// When it was started.
    pub started: Timestamp,
    /// The data directory.
    pub data_dir: String,
    /// What the runtime can do here.
    pub runtime: Capabilities,
    /// The engine of new boxes: name and version.
    pub engine: (String, String),
    /// Providers of models and the secret that each needs.
    pub providers: Vec<(String, Option<String>)>,
    /// Names of secrets that the environment gives.
    pub given: Vec<String>,
    /// Where the vault's master key is: `file`, `env` or `keyring`.
    pub master_key: String,
    /// `never`, or a time.
    pub sleep_after: String,
    /// What new boxes are wished to be, and what `start` makes of one that is off.
    pub desired: Desired,
}
