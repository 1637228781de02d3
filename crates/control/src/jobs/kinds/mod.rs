//! The kinds of jobs that the engine room does itself.

mod exec;
mod restart;
mod snapshot;

use std::sync::Arc;

use super::work::Work;

/// All of them.
pub(super) fn all() -> Vec<Arc<dyn Work>> {
    let mut all: Vec<Arc<dyn Work>> = vec![Arc::new(exec::Exec), Arc::new(restart::Restart)];
    all.extend(snapshot::all());
    all
}
