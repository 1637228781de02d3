//! The engine's process: started on order, started again when it crashes, ended on request.
//!
//! It knows nothing of what the engine is; that is in the order.

mod backoff;
mod halves;
pub(crate) mod log;
pub(crate) mod record;
mod run;
mod watch;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smartbox_link::wire::{EngineOrder, EngineStatus};
use tokio::sync::{mpsc, oneshot};

use crate::process::{OomCounter, Spawner};
use log::Log;
use record::Record;

/// What the doors ask of the engine's keeper.
enum Ask {
    Start(Box<EngineOrder>, oneshot::Sender<Result<(), String>>),
    Stop(Duration, oneshot::Sender<()>),
}

/// The handle of the engine's keeper.
pub(crate) struct Supervisor {
    asks: mpsc::Sender<Ask>,
    status: Arc<Mutex<EngineStatus>>,
}

impl Supervisor {
    /// Sets the keeper to work. It ends with the process.
    pub(crate) fn new(
        spawner: Arc<Spawner>,
        log: Log,
        record: Record,
        oom: Arc<OomCounter>,
    ) -> Self {
        let (asks, rx) = mpsc::channel(16);
        let status = Arc::new(Mutex::new(EngineStatus::default()));
        let keeper = watch::Keeper::new(
            rx,
            run::Starter::new(spawner, log, record, oom, Arc::clone(&status)),
        );
        tokio::spawn(keeper.work());
        Self { asks, status }
    }

    /// Starts the engine by this order, or says why it cannot be started. The order that is in
    /// force already changes nothing.
    pub(crate) async fn start(&self, order: EngineOrder) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        let gone = || "the engine's keeper is gone".to_owned();
        self.asks.send(Ask::Start(Box::new(order), reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Ends the engine: SIGTERM, `grace`, kill. Returns once it has ended.
    pub(crate) async fn stop(&self, grace: Duration) {
        let (reply, answer) = oneshot::channel();
        if self.asks.send(Ask::Stop(grace, reply)).await.is_ok() {
            let _ = answer.await;
        }
    }

    /// Where its process is.
    pub(crate) fn status(&self) -> EngineStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
