//! What the doors of init share.

use std::sync::Arc;

use smartbox_home::Home;
use smartbox_link::inherit::Inherit;
use smartbox_link::wire::Status;
use tokio::time::Instant;

use crate::engine::Supervisor;
use crate::exec::slot::Slots;
use crate::fence::Fence;
use crate::process::{OomCounter, Spawner};

/// Everything that a request may reach.
pub(crate) struct State {
    pub(crate) document: Inherit,
    pub(crate) home: Home,
    pub(crate) fence: Fence,
    pub(crate) engine: Supervisor,
    pub(crate) spawner: Arc<Spawner>,
    pub(crate) oom: Arc<OomCounter>,
    pub(crate) execs: Arc<Slots>,
    pub(crate) began: Instant,
    pub(crate) confined: Vec<String>,
}

impl State {
    /// What init says of itself.
    pub(crate) fn status(&self) -> Status {
        Status {
            id: self.document.id.clone(),
            fence: self.document.fence,
            engine: self.engine.status(),
            execs: self.execs.count(),
            uptime_secs: self.began.elapsed().as_secs(),
            confined: self.confined.clone(),
        }
    }
}
