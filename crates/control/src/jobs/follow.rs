//! Watching a job: what happened to it after a given event, and what happens from then on.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::stream;
use smartbox_core::BoxStream;
use smartbox_core::id::JobId;
use smartbox_core::job::Event;
use smartbox_core::store::{self, StoreError};
use tokio::sync::watch;

use crate::control::Control;

/// Events that are read at once.
const PAGE: u32 = 200;

impl Control {
    /// The events of a job after the one with this number, until its last. Ends early when the
    /// platform goes down or the job is removed.
    pub fn follow_job(self: &Arc<Self>, id: &JobId, after: u64) -> BoxStream<'static, Event> {
        let follower = Follower {
            control: self.clone(),
            id: id.clone(),
            bell: self.jobs.live.watch(id),
            after,
            ready: VecDeque::new(),
        };
        Box::pin(stream::unfold(follower, |mut follower| async move {
            follower.next().await.map(|event| (event, follower))
        }))
    }
}

struct Follower {
    control: Arc<Control>,
    id: JobId,
    /// None once nothing more will happen.
    bell: Option<watch::Receiver<u64>>,
    after: u64,
    ready: VecDeque<Event>,
}

impl Follower {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.after = event.seq;
                return Some(event);
            }
            if let Some(bell) = &mut self.bell {
                bell.mark_unchanged();
            }
            match self.read().await {
                Ok(events) => self.ready.extend(events),
                Err(error) => {
                    tracing::warn!(job = %self.id, %error, "a job's events cannot be read");
                    return None;
                }
            }
            if self.ready.is_empty() {
                let bell = self.bell.as_mut()?;
                let draining = self.control.draining.clone();
                // An error: the job is over, and what it said last is read once more.
                if draining.run_until_cancelled(bell.changed()).await?.is_err() {
                    self.bell = None;
                }
            }
        }
    }

    async fn read(&self) -> Result<Vec<Event>, StoreError> {
        let (id, after) = (self.id.clone(), self.after);
        store::read(&*self.control.parts.store, move |tx| {
            Box::pin(async move { tx.jobs().events(id, after, PAGE).await })
        })
        .await
    }
}
