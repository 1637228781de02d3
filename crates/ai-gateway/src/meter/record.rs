//! Writing rows of usage behind the back of the calls: never in their way, and none forgotten
//! while the platform lives.

use std::sync::Arc;

use smartbox_core::store::{self, Store};
use smartbox_core::telemetry::{Event, Telemetry};
use smartbox_core::usage::Usage;
use tokio_util::task::TaskTracker;

/// Rows that may wait for a store that does not answer.
const MOST_PENDING: usize = 10_000;

/// Writes rows.
#[derive(Clone)]
pub(crate) struct Recorder {
    store: Arc<dyn Store>,
    telemetry: Arc<dyn Telemetry>,
    pending: TaskTracker,
}

impl Recorder {
    /// A recorder over a store, which also tells whoever counts.
    pub(crate) fn new(store: Arc<dyn Store>, telemetry: Arc<dyn Telemetry>) -> Self {
        let pending = TaskTracker::new();
        // Closed, it can be waited for; it takes new work all the same.
        pending.close();
        Self { store, telemetry, pending }
    }

    /// Records one call; returns at once. A row that cannot be written is logged whole.
    pub(crate) fn record(&self, usage: Usage) {
        self.telemetry.note(Event::Model(&usage));
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            tracing::error!(?usage, "usage was not recorded: the platform is ending");
            return;
        };
        if self.pending.len() >= MOST_PENDING {
            tracing::error!(?usage, "usage was not recorded: the store does not keep up");
            return;
        }
        tracing::debug!(?usage, "model call");
        let store = self.store.clone();
        self.pending.spawn_on(
            async move {
                let lost = usage.clone();
                let written = store::write(&*store, |tx| {
                    Box::pin(async move { tx.usage().record(usage).await })
                });
                if let Err(error) = written.await {
                    tracing::error!(%error, usage = ?lost, "usage was not recorded");
                }
            },
            &runtime,
        );
    }

    /// Waits until every row so far is written.
    pub(crate) async fn settled(&self) {
        self.pending.wait().await;
    }
}
