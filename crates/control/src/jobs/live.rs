//! Bells of the jobs that are not over. They say that the row or the log changed, and not how.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use smartbox_core::id::JobId;
use tokio::sync::watch;

/// A bell for each job that is not over.
#[derive(Default)]
pub(super) struct Live(Mutex<HashMap<JobId, watch::Sender<u64>>>);

impl Live {
    /// A job is there.
    pub(super) fn begin(&self, id: &JobId) {
        self.lock().entry(id.clone()).or_default();
    }

    /// Something of the job changed.
    pub(super) fn ring(&self, id: &JobId) {
        if let Some(bell) = self.lock().get(id) {
            bell.send_modify(|times| *times += 1);
        }
    }

    /// The job is over: nothing of it will change any more.
    pub(super) fn end(&self, id: &JobId) {
        self.lock().remove(id);
    }

    /// The bell of a job, unless it is over.
    pub(super) fn watch(&self, id: &JobId) -> Option<watch::Receiver<u64>> {
        self.lock().get(id).map(watch::Sender::subscribe)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, watch::Sender<u64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
