//! Taking a job in. When this returns, it is on disk.

use std::sync::Arc;

use serde_json::Value;
use smartbox_core::audit::Act;
use smartbox_core::id::{AccountId, JobId, SmartboxId};
use smartbox_core::job::port::Filter;
use smartbox_core::job::{Happening, Item, Job, JobState, MAX_INPUT, Outcome, Progress};
use smartbox_core::secret::Secret;
use smartbox_core::store::{self, StoreError, Tx};

use super::board::Ticket;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// So many jobs of one account may wait for their turn.
const MAX_WAITING: usize = 1000;
/// The longest key, in bytes.
const MAX_KEY: usize = 200;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The box that it is about, if it is about one.
    pub smartbox: Option<SmartboxId>,
    /// The word of a [`super::Work`].
    pub kind: &'static str,
    /// The asker's own key for it: asked twice, it is one job.
    pub key: Option<String>,
    /// What the work takes.
    pub input: Value,
    /// What the work takes besides and nobody is shown: kept as secrets are, until the job is over.
    pub sealed: Option<Secret<String>>,
    /// What it is done to, if to many: the subject and name of each item.
    pub items: Vec<(String, String)>,
}

impl NewJob {
    /// Something done once.
    pub fn new(kind: &'static str, smartbox: Option<SmartboxId>, input: Value) -> Self {
        Self { smartbox, kind, key: None, input, sealed: None, items: Vec::new() }
    }
}

impl Control {
    /// Takes a job in. It is committed before this returns, and run when it is its turn, by this
    /// process or the next.
    pub async fn submit(
        self: &Arc<Self>,
        actor: &Actor,
        account: &AccountId,
        new: NewJob,
    ) -> Result<Job, ControlError> {
        if self.draining.is_cancelled() {
            return Err(ControlError::Draining);
        }
        let keeps = self.check_new(account, &new)?;
        let items = self.new_items(&new);
        let sealed = new.sealed.clone();
        let job = self.new_job(actor, account, new);
        let (job, fresh) = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                if let Some(known) = keyed(tx, &job).await? {
                    return if same(&known, &job) {
                        Ok((known, false))
                    } else {
                        Err(StoreError::Exists { what: "job" })
                    };
                }
                if let Some(keeps) = keeps {
                    forget_oldest(tx, &job, keeps).await?;
                }
                tx.jobs().add(job.clone()).await?;
                if let Some(sealed) = sealed {
                    tx.jobs().seal(job.id.clone(), sealed).await?;
                }
                tx.jobs().put_items(job.id.clone(), items).await?;
                let queued = Happening::State { state: JobState::Queued };
                tx.jobs().append(job.id.clone(), job.created, queued).await?;
                tx.audit().append(act(&job, "job.create", job.actor.clone())).await?;
                Ok((job, true))
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        if fresh {
            self.queue_job(&job);
        }
        Ok(job)
    }

    /// Puts a job on the board, and starts what may start.
    pub(super) fn queue_job(self: &Arc<Self>, job: &Job) {
        self.jobs.live.begin(&job.id);
        self.jobs.board().queue(Ticket::of(job));
        self.run_jobs();
    }

    /// How many ended jobs like this one its box keeps.
    fn check_new(&self, account: &AccountId, new: &NewJob) -> Result<Option<usize>, ControlError> {
        let refused = |why: &str, hint: &str| {
            Err(ControlError::Refused { why: why.into(), hint: hint.into() })
        };
        let Some(work) = self.jobs.works.get(new.kind) else {
            return refused("there is no such kind of job", "");
        };
        if new.input.to_string().len() > MAX_INPUT {
            return refused("the job's input is longer than 256 KiB", "ask for less at a time");
        }
        if new.key.as_ref().is_some_and(|key| key.is_empty() || key.len() > MAX_KEY) {
            return refused("a key has 1 to 200 bytes", "");
        }
        if new.key.is_some() && new.sealed.is_some() {
            // It could not be told whether the same is asked again.
            return refused("a job with something sealed has no key", "");
        }
        if self.jobs.board().waiting(account) >= MAX_WAITING {
            return Err(ControlError::NotNow {
                why: "a thousand jobs of this account wait already".into(),
                hint: "ask again when some are done: `smartbox jobs ls`".into(),
            });
        }
        Ok(work.keeps())
    }

    fn new_items(&self, new: &NewJob) -> Vec<Item> {
        let at = self.parts.clock.now();
        let item = |(n, (subject, name)): (u32, &(String, String))| Item {
            n,
            subject: subject.clone(),
            name: name.clone(),
            outcome: Outcome::Waiting,
            reason: String::new(),
            checkpoint: Value::Null,
            at,
        };
        (0..).zip(&new.items).map(item).collect()
    }

    fn new_job(&self, actor: &Actor, account: &AccountId, new: NewJob) -> Job {
        Job {
            id: JobId::generate(&*self.parts.entropy),
            account: account.clone(),
            smartbox: new.smartbox,
            kind: new.kind.to_owned(),
            actor: actor.0.clone(),
            key: new.key,
            input: new.input,
            state: JobState::Queued,
            asked: None,
            progress: Progress::default(),
            checkpoint: Value::Null,
            result: None,
            failure: None,
            attempts: 0,
            interruptions: 0,
            created: self.parts.clock.now(),
            started: None,
            finished: None,
            expires: None,
        }
    }
}

/// What the audit says of an act on a job.
pub(super) fn act(job: &Job, action: &str, actor: String) -> Act {
    Act {
        account: job.account.clone(),
        actor,
        action: action.to_owned(),
        smartbox: job.smartbox.clone(),
        detail: format!("{} {}", job.kind, job.id),
        at: job.created,
    }
}

fn same(known: &Job, new: &Job) -> bool {
    known.kind == new.kind && known.smartbox == new.smartbox && known.input == new.input
}

async fn keyed(tx: &mut dyn Tx, job: &Job) -> Result<Option<Job>, StoreError> {
    if job.key.is_none() {
        return Ok(None);
    }
    let filter = Filter {
        account: Some(job.account.clone()),
        key: job.key.clone(),
        limit: 1,
        ..Filter::default()
    };
    Ok(tx.jobs().list(filter).await?.pop())
}

/// Makes room for one more among the ended jobs of its kind and box.
async fn forget_oldest(tx: &mut dyn Tx, job: &Job, keeps: usize) -> Result<(), StoreError> {
    let filter = Filter {
        smartbox: job.smartbox.clone(),
        account: Some(job.account.clone()),
        kind: Some(job.kind.clone()),
        states: JobState::ALL.into_iter().filter(|state| state.is_final()).collect(),
        limit: u32::try_from(keeps).unwrap_or(u32::MAX).saturating_add(10),
        ..Filter::default()
    };
    let ended = tx.jobs().list(filter).await?;
    for old in ended.into_iter().skip(keeps.saturating_sub(1)) {
        tx.jobs().remove(old.id).await?;
    }
    Ok(())
}
