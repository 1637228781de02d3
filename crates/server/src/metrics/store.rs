//! A store whose writes are counted.

use std::sync::Arc;
use std::time::Instant;

use smartbox_core::BoxFuture;
use smartbox_core::store::{Store, StoreError, Work};
use smartbox_core::telemetry::{Event, Telemetry};

/// Another store, and who counts its writes.
pub struct Counted {
    store: Arc<dyn Store>,
    telemetry: Arc<dyn Telemetry>,
}

impl Counted {
    /// The same records.
    pub fn over(store: Arc<dyn Store>, telemetry: Arc<dyn Telemetry>) -> Arc<Self> {
        Arc::new(Self { store, telemetry })
    }

    /// Who counts.
    pub fn telemetry(&self) -> Arc<dyn Telemetry> {
        self.telemetry.clone()
    }
}

impl Store for Counted {
    fn write(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>> {
        let began = Instant::now();
        let written = self.store.write(work);
        Box::pin(async move {
            let written = written.await;
            let (done, took) = (written.is_ok(), began.elapsed());
            self.telemetry.note(Event::Write { done, took });
            written
        })
    }

    fn read(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>> {
        self.store.read(work)
    }

    fn version(&self) -> u64 {
        self.store.version()
    }
}
