//! What takes its time, as jobs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smartbox_core::job::Job;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::snapshot::Generation;

use crate::control::Control;
use crate::error::ControlError;
use crate::jobs::NewJob;
use crate::parts::Actor;

/// What can be asked about the snapshots of a box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotJob {
    /// `snapshot.take`: take one, whether or not something has changed.
    Take,
    /// `snapshot.restore`: a generation in place, or with `paths` these files and folders of it.
    Restore {
        /// Which one.
        generation: Generation,
        /// Paths relative to the home; empty for the whole of it.
        paths: Vec<String>,
    },
    /// `snapshot.fork`: a new box that begins with a generation; the newest if none.
    Fork {
        /// Which one.
        generation: Option<Generation>,
        /// The new box's name.
        name: String,
    },
    /// `snapshot.verify`: read back one generation, or every one.
    Verify {
        /// Which one.
        generation: Option<Generation>,
    },
    /// `snapshot.prune`: remove what is no longer kept.
    Prune,
    /// `snapshot.drill`: restore the newest into a scratch box, and see whether it lives.
    Drill,
}

impl SnapshotJob {
    /// The job's kind and input.
    fn as_job(&self) -> (&'static str, Value) {
        match self {
            Self::Take => ("snapshot.take", json!({})),
            Self::Restore { generation, paths } => {
                ("snapshot.restore", json!({ "generation": generation, "paths": paths }))
            }
            Self::Fork { generation, name } => {
                ("snapshot.fork", json!({ "generation": generation, "name": name }))
            }
            Self::Verify { generation } => ("snapshot.verify", json!({ "generation": generation })),
            Self::Prune => ("snapshot.prune", json!({})),
            Self::Drill => ("snapshot.drill", json!({})),
        }
    }
}

impl Control {
    /// Has something done about the snapshots of a box, as a job of its account. What cannot be at all
    /// is refused at once.
    pub async fn snapshot_later(
        self: &Arc<Self>,
        actor: &Actor,
        row: &Smartbox,
        what: SnapshotJob,
    ) -> Result<Job, ControlError> {
        let held = self.held(&row.id).await?;
        match &what {
            SnapshotJob::Restore { generation, .. } => {
                held.generation(Some(*generation))?;
            }
            SnapshotJob::Fork { generation, name } => {
                smartbox_core::smartbox::name::check(name)?;
                held.generation(*generation)?;
            }
            SnapshotJob::Verify { generation } => {
                held.generation(*generation)?;
            }
            SnapshotJob::Drill => {
                held.generation(None)?;
            }
            SnapshotJob::Take | SnapshotJob::Prune => {}
        }
        let (kind, input) = what.as_job();
        self.submit(actor, &row.account, NewJob::new(kind, Some(row.id.clone()), input)).await
    }
}
