//! Running jobs: taking each up under a new fencing token, and writing down how it ended.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use smartbox_core::id::JobId;
use smartbox_core::job::{End, Happening, Job, JobFailure, JobState};
use smartbox_core::store::{self, StoreError};
use smartbox_core::telemetry::TRACE;
use tracing::field::Empty;
use tracing::{Instrument, info_span};

use super::board::{Stop, Ticket};
use super::ctx::Ctx;
use super::work::{Halt, Work};
use crate::control::Control;
use crate::error::ControlError;

/// How long a cancelled run may take to stop by itself.
const GRACE: Duration = Duration::from_secs(10);
/// Between two tries to write what the records do not take: a full disk, above all.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

impl Control {
    /// Goes on with the jobs that an earlier process left.
    pub(crate) async fn take_up_jobs(self: &Arc<Self>) -> Result<(), ControlError> {
        let open =
            store::read(&*self.parts.store, |tx| Box::pin(async move { tx.jobs().open().await }))
                .await?;
        for job in open {
            let resumes = self.jobs.works.get(&*job.kind).is_some_and(|work| work.resumes());
            match job.state {
                JobState::Paused => self.jobs.live.begin(&job.id),
                JobState::Running if !resumes => {
                    let (now, keep) = (self.parts.clock.now(), self.jobs.limits.keep);
                    let interrupt = move |job: &mut Job| job.interrupt(now, keep);
                    self.change_job(&job.id, interrupt).await?;
                }
                _ => self.queue_job(&job),
            }
        }
        Ok(())
    }

    /// Starts every job whose turn it is.
    pub(super) fn run_jobs(self: &Arc<Self>) {
        while !self.draining.is_cancelled() {
            // Not in the loop's head: the board must be free while a task is made.
            let next = self.jobs.board().next();
            let Some((ticket, stop)) = next else { return };
            let control = self.clone();
            self.tasks.spawn(async move {
                let draining = control.draining.clone();
                // Dropped where it stands, the row says `running`: the next process takes it up.
                if draining.run_until_cancelled(control.run_job(&ticket, stop)).await.is_some() {
                    control.jobs.board().done(&ticket.id);
                    control.run_jobs();
                }
            });
        }
    }

    async fn run_job(self: &Arc<Self>, ticket: &Ticket, stop: Stop) {
        let Some((job, fence)) = self.take_job(&ticket.id).await else { return };
        let id = job.id.clone();
        let Some(work) = self.jobs.works.get(&*job.kind).cloned() else {
            let why = format!("this version of the platform knows no jobs of kind `{}`", job.kind);
            return self.end_job(&id, fence, End::Failed(broken(why))).await;
        };
        tracing::info!(job = %id, kind = job.kind, attempt = fence, "a job is taken up");
        let for_good = stop.for_good.clone();
        let ctx = Ctx::new(self.clone(), job, fence, stop);
        let span = info_span!(
            target: TRACE, parent: None, "job", job.id = %id, job.kind = work.kind(),
            job.attempt = fence, otel.status_code = Empty,
        );
        let halt = tokio::select! {
            ended = attempt(&*work, &ctx).instrument(span.clone()) => ended,
            () = async { for_good.cancelled().await; tokio::time::sleep(GRACE).await } => {
                Err(Halt::Stopped(None))
            }
        };
        ctx.flush().await;
        let end = match halt {
            Ok(result) => ctx.fitting(result),
            Err(Halt::Failed(failure)) => {
                span.record("otel.status_code", "ERROR");
                End::Failed(failure)
            }
            Err(Halt::Stopped(result)) => End::Stopped(result),
            Err(Halt::Lost) => return,
        };
        self.end_job(&id, fence, end).await;
    }

    async fn take_job(self: &Arc<Self>, id: &JobId) -> Option<(Job, u32)> {
        let (now, keep) = (self.parts.clock.now(), self.jobs.limits.keep);
        let taken = self.insist_job(id, move |job| job.take(now, keep)).await?;
        taken.1.map(|fence| (taken.0, fence))
    }

    async fn end_job(self: &Arc<Self>, id: &JobId, fence: u32, end: End) {
        let (now, keep) = (self.parts.clock.now(), self.jobs.limits.keep);
        let settle = move |job: &mut Job| job.settle(fence, end.clone(), now, keep);
        if let Some((job, Ok(()))) = self.insist_job(id, settle).await {
            tracing::info!(job = %id, kind = job.kind, state = %job.state, "a run of a job is over");
            if job.state == JobState::Queued {
                self.queue_job(&job);
            }
        }
    }

    /// [`Self::change_job`], again until the records take it; none if the job is gone.
    async fn insist_job<T: Send + 'static>(
        &self,
        id: &JobId,
        edit: impl FnOnce(&mut Job) -> T + Clone + Send + 'static,
    ) -> Option<(Job, T)> {
        loop {
            match self.change_job(id, edit.clone()).await {
                Ok(done) => return Some(done),
                Err(StoreError::Missing { .. } | StoreError::Fenced) => {
                    self.jobs.live.end(id);
                    return None;
                }
                Err(error) => {
                    tracing::warn!(job = %id, %error, "a job's state cannot be written");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Reads a job, lets `edit` change it, and writes it back with what that is as an event.
    pub(super) async fn change_job<T: Send + 'static>(
        &self,
        id: &JobId,
        edit: impl FnOnce(&mut Job) -> T + Send + 'static,
    ) -> Result<(Job, T), StoreError> {
        let (wanted, now) = (id.clone(), self.parts.clock.now());
        let (job, value) = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let missing = StoreError::Missing { what: "job" };
                let mut job = tx.jobs().get(wanted).await?.ok_or(missing)?;
                let before = job.clone();
                let value = edit(&mut job);
                if job != before {
                    tx.jobs().put(job.clone()).await?;
                }
                if job.state != before.state {
                    let what = Happening::State { state: job.state };
                    tx.jobs().append(job.id.clone(), now, what).await?;
                }
                Ok((job, value))
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        self.tell_job(&job);
        Ok((job, value))
    }

    /// Wakes those who watch a job.
    pub(super) fn tell_job(&self, job: &Job) {
        self.jobs.live.ring(&job.id);
        if job.state.is_final() {
            self.jobs.live.end(&job.id);
        }
    }
}

async fn attempt(work: &dyn Work, ctx: &Ctx) -> Result<serde_json::Value, Halt> {
    let run = AssertUnwindSafe(async { work.run(ctx).await }).catch_unwind();
    run.await.unwrap_or_else(|_| {
        tracing::error!(job = %ctx.job().id, kind = work.kind(), "a job panicked");
        Err(Halt::Failed(broken("the platform failed while it did the job".into())))
    })
}

/// The platform's own fault.
pub(super) fn broken(detail: String) -> JobFailure {
    JobFailure { code: "internal".into(), detail, hint: "the platform's log says more".into() }
}
