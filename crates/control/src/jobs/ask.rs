//! What people ask of a job: stop, hold on, go on, be forgotten.

use std::sync::Arc;

use smartbox_core::id::JobId;
use smartbox_core::job::{Asked, Happening, Job, JobState, Refusal};
use smartbox_core::store::{self, StoreError};

use super::submit::act;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// Stops a job for good: at once if it waits, else as soon as its run can.
    pub async fn cancel_job(
        self: &Arc<Self>,
        actor: &Actor,
        id: &JobId,
    ) -> Result<Job, ControlError> {
        let (now, keep) = (self.parts.clock.now(), self.jobs.limits.keep);
        let job = self.ask(actor, id, "job.cancel", move |job| job.cancel(now, keep)).await?;
        self.jobs.board().stop(id, true);
        Ok(job)
    }

    /// Lets a job wait, or its run stop at the next good moment, until it is resumed.
    pub async fn pause_job(
        self: &Arc<Self>,
        actor: &Actor,
        id: &JobId,
    ) -> Result<Job, ControlError> {
        let job = self.job(id).await?;
        let pauses = self.jobs.works.get(&*job.kind).is_some_and(|work| work.pauses());
        if job.state == JobState::Running && !pauses {
            return Err(ControlError::NotNow {
                why: format!("a job of kind `{}` does not stop half-way", job.kind),
                hint: "wait for its end, or cancel it".into(),
            });
        }
        let job = self.ask(actor, id, "job.pause", Job::pause).await?;
        if job.asked == Some(Asked::Pause) {
            self.jobs.board().stop(id, false);
        }
        Ok(job)
    }

    /// Lets a job go on that was paused.
    pub async fn resume_job(
        self: &Arc<Self>,
        actor: &Actor,
        id: &JobId,
    ) -> Result<Job, ControlError> {
        let job = self.ask(actor, id, "job.resume", Job::resume).await?;
        if job.state == JobState::Queued {
            self.queue_job(&job);
        }
        Ok(job)
    }

    /// Forgets a job that is over.
    pub async fn forget_job(&self, actor: &Actor, id: &JobId) -> Result<(), ControlError> {
        let (wanted, actor) = (id.clone(), actor.0.clone());
        let over = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let missing = StoreError::Missing { what: "job" };
                let job = tx.jobs().get(wanted).await?.ok_or(missing)?;
                if !job.state.is_final() {
                    return Ok(false);
                }
                tx.jobs().remove(job.id.clone()).await?;
                tx.audit().append(act(&job, "job.forget", actor)).await?;
                Ok(true)
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        if over {
            return Ok(());
        }
        Err(ControlError::NotNow {
            why: "the job is not over".into(),
            hint: "cancel it first".into(),
        })
    }

    async fn ask(
        &self,
        actor: &Actor,
        id: &JobId,
        action: &'static str,
        edit: impl FnOnce(&mut Job) -> Result<(), Refusal> + Send + 'static,
    ) -> Result<Job, ControlError> {
        let (wanted, actor, now) = (id.clone(), actor.0.clone(), self.parts.clock.now());
        let asked = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let missing = StoreError::Missing { what: "job" };
                let mut job = tx.jobs().get(wanted).await?.ok_or(missing)?;
                let before = job.clone();
                if let Err(refusal) = edit(&mut job) {
                    return Ok(Err(refusal));
                }
                if job == before {
                    return Ok(Ok(job));
                }
                tx.jobs().put(job.clone()).await?;
                if job.state != before.state {
                    let what = Happening::State { state: job.state };
                    tx.jobs().append(job.id.clone(), now, what).await?;
                }
                let mut act = act(&job, action, actor);
                act.at = now;
                tx.audit().append(act).await?;
                Ok(Ok(job))
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        let job = asked.map_err(|refusal| ControlError::NotNow {
            why: refusal.to_string(),
            hint: "`smartbox jobs show` says where it is".into(),
        })?;
        self.tell_job(&job);
        Ok(job)
    }
}
