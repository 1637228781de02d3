//! Snapshots: taken so that nothing is lost, restored so that nothing is lost, whatever dies when.

mod begin;
mod fence;
mod held;
mod kill;
mod meanwhile;
mod prove;
mod prune;
mod real;
mod recover;
mod remove;
mod restore;
mod take;

use std::time::Duration;

use serde_json::Value;
use smartbox_control::SnapshotJob;
use smartbox_core::id::SmartboxId;
use smartbox_core::job::{Job, JobState};
use smartbox_core::smartbox::{Desired, Rest, State};
use smartbox_core::snapshot::Generation;
use smartbox_core::snapshot::record::{Record, Why};

use crate::world::{World, actor};

const LONG: Duration = Duration::from_secs(100_000);
/// The file that most of these tests are about.
const NOTE: &str = "note";

impl World {
    /// A box that runs, with something in its home.
    async fn noted(&self, text: &str) -> SmartboxId {
        let id = self.running("pa", Desired::On).await;
        self.write(&id, NOTE, text).await;
        id
    }

    async fn take(&self, id: &SmartboxId) -> Record {
        let taken = self.control.take_snapshot(id, Why::Asked, None).await.unwrap();
        taken.expect("it has a home")
    }

    async fn generations(&self, id: &SmartboxId) -> Vec<Record> {
        self.control.archive(id).await.unwrap().generations
    }

    /// What the newest generation has in its note.
    async fn newest_note(&self, id: &SmartboxId) -> Option<String> {
        let newest = self.generations(id).await.pop()?;
        self.copies.text(&newest.snapshot, NOTE)
    }

    async fn begin(&self, id: &SmartboxId, what: SnapshotJob) -> Job {
        let row = self.control.find(&self.account().await, id.as_str()).await.unwrap();
        self.control.snapshot_later(&actor(), &row, what).await.unwrap()
    }

    async fn account(&self) -> smartbox_core::id::AccountId {
        self.control.ensure_account("me").await.unwrap().id
    }

    async fn ended(&self, job: &Job) -> Job {
        self.control.job_over(&job.id, LONG).await.unwrap()
    }

    async fn done(&self, id: &SmartboxId, what: SnapshotJob) -> Value {
        let job = self.ended(&self.begin(id, what).await).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.failure);
        job.result.unwrap()
    }

    async fn stopped(&self, id: &SmartboxId) {
        self.control.sleep(&actor(), id, Rest::Stopped).await.unwrap();
        self.settle(id, State::Stopped).await;
    }

    async fn woken(&self, id: &SmartboxId) {
        self.control.wake(&actor(), id).await.unwrap();
        self.settle(id, State::Running).await;
    }
}

fn restore(generation: Generation) -> SnapshotJob {
    SnapshotJob::Restore { generation, paths: vec![] }
}

async fn secs(n: u64) {
    tokio::time::sleep(Duration::from_secs(n)).await;
}
