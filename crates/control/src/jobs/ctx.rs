//! What a run of a job has: what was asked, where an earlier run was, and ways to say how it goes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use smartbox_core::BoxFuture;
use smartbox_core::job::{
    End, Happening, Item, Job, JobFailure, MAX_CHECKPOINT, MAX_RESULT, Progress,
};
use smartbox_core::secret::Secret;
use smartbox_core::store::{self, StoreError, Tx};
use smartbox_core::time::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::board::Stop;
use super::run::{PAUSE, broken};
use super::work::Halt;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// Progress is written no more often than this; the last of it always is.
const OFTEN: Duration = Duration::from_millis(250);
/// The longest note of progress, in characters.
const MAX_NOTE: usize = 200;

/// One run of a job.
pub struct Ctx {
    control: Arc<Control>,
    job: Job,
    fence: u32,
    stop: Stop,
    going: Mutex<Going>,
}

/// How it goes.
struct Going {
    progress: Progress,
    /// When progress was written last.
    written: Option<Instant>,
    /// Whether it has changed since.
    stale: bool,
}

impl Ctx {
    pub(super) fn new(control: Arc<Control>, job: Job, fence: u32, stop: Stop) -> Self {
        let going = Going { progress: job.progress.clone(), written: None, stale: false };
        Self { control, job, fence, stop, going: Mutex::new(going) }
    }

    /// The engine room.
    pub fn control(&self) -> &Arc<Control> {
        &self.control
    }

    /// The job as it was when this run began.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.control.parts.clock.now()
    }

    /// Who asked for it.
    pub fn actor(&self) -> Actor {
        Actor(self.job.actor.clone())
    }

    /// What was asked.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, Halt> {
        serde_json::from_value(self.job.input.clone()).map_err(|error| {
            Halt::Failed(JobFailure {
                code: "bad-request".into(),
                detail: format!("the job's input is not understood: {error}"),
                hint: "another version of the platform wrote it: ask for it again".into(),
            })
        })
    }

    /// What was asked and nobody is shown.
    pub async fn sealed(&self) -> Result<Option<Secret<String>>, Halt> {
        let id = self.job.id.clone();
        let sealed = store::read(&*self.control.parts.store, |tx| {
            Box::pin(async move { tx.jobs().unseal(id).await })
        })
        .await;
        Ok(sealed.map_err(ControlError::from)?)
    }

    /// Where an earlier run was.
    pub fn left_off<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_value(self.job.checkpoint.clone()).ok()
    }

    /// Cancelled when the run is to stop, for a pause or for good.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stop.soon
    }

    /// Cancelled when it is to stop for good.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.stop.for_good
    }

    /// Does something that may be left where it stands when the run is to stop.
    pub async fn unless_stopped<T>(&self, doing: impl Future<Output = T>) -> Result<T, Halt> {
        self.stop.soon.run_until_cancelled(doing).await.ok_or(Halt::Stopped(None))
    }

    /// Says how far it is. Cheap: not every call is written.
    pub async fn progress(&self, mut progress: Progress) -> Result<(), Halt> {
        progress.note = progress.note.chars().take(MAX_NOTE).collect();
        let due = {
            let mut going = self.going();
            going.stale |= going.progress != progress;
            going.progress = progress;
            going.stale && going.written.is_none_or(|at| at.elapsed() >= OFTEN)
        };
        if due { self.write(None, |_| Box::pin(async { Ok(()) })).await } else { Ok(()) }
    }

    /// Writes down what the next run would need to go on from here.
    pub async fn checkpoint(&self, at: &(impl Serialize + Sync)) -> Result<(), Halt> {
        let value = serde_json::to_value(at).unwrap_or_default();
        if value.to_string().len() > MAX_CHECKPOINT {
            return Err(Halt::Failed(broken("the job's checkpoint grew too long".into())));
        }
        self.write(Some(value), |_| Box::pin(async { Ok(()) })).await
    }

    /// Says something, one line for a person.
    pub async fn log(&self, text: impl Into<String>) -> Result<(), Halt> {
        let (id, at) = (self.job.id.clone(), self.control.parts.clock.now());
        let line = Happening::line(text);
        self.write(None, move |tx| {
            let (id, line) = (id.clone(), line.clone());
            Box::pin(async move { tx.jobs().append(id, at, line).await })
        })
        .await
    }

    /// The items of the job.
    pub async fn items(&self) -> Result<Vec<Item>, Halt> {
        let items = self.control.job_items(&self.job.id).await;
        Ok(items?)
    }

    /// Writes items of the job, by their place.
    pub async fn put_items(&self, items: Vec<Item>) -> Result<(), Halt> {
        let id = self.job.id.clone();
        self.write(None, move |tx| {
            let (id, items) = (id.clone(), items.clone());
            Box::pin(async move { tx.jobs().put_items(id, items).await })
        })
        .await
    }

    /// Writes the last progress, if it is not written yet.
    pub(super) async fn flush(&self) {
        if self.going().stale {
            // Whoever has the job now says more.
            let _ = self.write(None, |_| Box::pin(async { Ok(()) })).await;
        }
    }

    /// A result that a row takes.
    pub(super) fn fitting(&self, result: Value) -> End {
        if result.to_string().len() > MAX_RESULT {
            return End::Failed(broken("the job's result is too long to be kept".into()));
        }
        End::Succeeded(result)
    }

    /// Writes progress, a checkpoint and `more` in one piece, again until the records take it.
    async fn write(
        &self,
        checkpoint: Option<Value>,
        more: impl for<'t> Fn(&'t mut dyn Tx) -> BoxFuture<'t, Result<(), StoreError>>
        + Clone
        + Send
        + Sync
        + 'static,
    ) -> Result<(), Halt> {
        loop {
            let (progress, stale) = {
                let mut going = self.going();
                going.written = Some(Instant::now());
                (going.progress.clone(), std::mem::take(&mut going.stale))
            };
            match self.write_once(progress, stale, checkpoint.clone(), more.clone()).await {
                Ok(true) => return Ok(()),
                Ok(false) | Err(StoreError::Missing { .. } | StoreError::Fenced) => {
                    return Err(Halt::Lost);
                }
                Err(error) => {
                    self.going().stale |= stale;
                    tracing::warn!(job = %self.job.id, %error, "a job's progress cannot be written");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Whether the job is still this run's.
    async fn write_once(
        &self,
        progress: Progress,
        stale: bool,
        checkpoint: Option<Value>,
        more: impl for<'t> Fn(&'t mut dyn Tx) -> BoxFuture<'t, Result<(), StoreError>>
        + Send
        + Sync
        + 'static,
    ) -> Result<bool, StoreError> {
        let (id, fence, now) = (self.job.id.clone(), self.fence, self.control.parts.clock.now());
        let written = store::write(&*self.control.parts.store, move |tx| {
            Box::pin(async move {
                let missing = StoreError::Missing { what: "job" };
                let mut job = tx.jobs().get(id).await?.ok_or(missing)?;
                if job.advance(fence, progress.clone(), checkpoint).is_err() {
                    return Ok(None);
                }
                tx.jobs().put(job.clone()).await?;
                if stale {
                    let what = Happening::Progress(progress);
                    tx.jobs().append(job.id.clone(), now, what).await?;
                }
                more(tx).await?;
                Ok(Some(job))
            })
        })
        .await
        .inspect_err(|error| self.control.heed(error))?;
        if let Some(job) = &written {
            self.control.tell_job(job);
        }
        Ok(written.is_some())
    }

    fn going(&self) -> std::sync::MutexGuard<'_, Going> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
