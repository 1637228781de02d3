//! Looking jobs up, and waiting for their end.

use std::time::Duration;

use smartbox_core::id::JobId;
use smartbox_core::job::port::Filter;
use smartbox_core::job::{Item, Job};
use smartbox_core::store;

use crate::control::Control;
use crate::error::ControlError;

impl Control {
    /// The job with this id.
    pub async fn job(&self, id: &JobId) -> Result<Job, ControlError> {
        let id = id.clone();
        let found =
            store::read(&*self.parts.store, |tx| Box::pin(async move { tx.jobs().get(id).await }))
                .await?;
        found.ok_or(ControlError::Missing { what: "job" })
    }

    /// The newest jobs that are as the filter says, newest first.
    pub async fn jobs(&self, filter: Filter) -> Result<Vec<Job>, ControlError> {
        Ok(store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.jobs().list(filter).await })
        })
        .await?)
    }

    /// The items of a job, by their place.
    pub async fn job_items(&self, id: &JobId) -> Result<Vec<Item>, ControlError> {
        let id = id.clone();
        Ok(store::read(&*self.parts.store, |tx| Box::pin(async move { tx.jobs().items(id).await }))
            .await?)
    }

    /// Waits until a job is over, or for `within`. Returns it as it is then.
    pub async fn job_over(&self, id: &JobId, within: Duration) -> Result<Job, ControlError> {
        // Before the row is read, so that an end in between is not missed.
        let bell = self.jobs.live.watch(id);
        let job = self.job(id).await?;
        let Some(mut bell) = bell.filter(|_| !job.state.is_final()) else { return Ok(job) };
        let over = async { while bell.changed().await.is_ok() {} };
        let waited = self.draining.run_until_cancelled(tokio::time::timeout(within, over)).await;
        match waited {
            None => Err(ControlError::Draining),
            Some(_) => self.job(id).await,
        }
    }
}
