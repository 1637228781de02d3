//! Forgetting jobs whose time is over.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::job::port::Filter;
use smartbox_core::store::{self, StoreError};

use crate::control::Control;

/// How often it is looked for them.
const SWEEP: Duration = Duration::from_mins(10);
/// So many are removed in one piece.
const BATCH: u32 = 100;

impl Control {
    /// Forgets ended jobs until the platform goes down.
    pub(crate) async fn sweep_jobs(self: Arc<Self>) {
        let mut tick = tokio::time::interval(SWEEP);
        loop {
            let swept = async {
                tick.tick().await;
                self.forget_expired().await
            };
            match self.draining.run_until_cancelled(swept).await {
                None => return,
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    tracing::warn!(%error, "jobs that are over could not be forgotten");
                }
            }
        }
    }

    async fn forget_expired(&self) -> Result<(), StoreError> {
        let expired = Some(self.parts.clock.now());
        loop {
            let filter = Filter { expired, limit: BATCH, ..Filter::default() };
            let removed = store::write(&*self.parts.store, |tx| {
                Box::pin(async move {
                    let old = tx.jobs().list(filter).await?;
                    let removed = old.len();
                    for job in old {
                        tx.jobs().remove(job.id).await?;
                    }
                    Ok(removed)
                })
            })
            .await
            .inspect_err(|error| self.heed(error))?;
            if removed < BATCH as usize {
                return Ok(());
            }
        }
    }
}
