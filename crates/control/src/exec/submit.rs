//! Takes a command in as a job.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smartbox_core::exec::{Asked, KIND};
use smartbox_core::id::{ExecId, JobId};
use smartbox_core::job::Job;
use smartbox_core::job::port::Filter;
use smartbox_core::smartbox::{Desired, Smartbox};
use smartbox_core::store;
use smartbox_link::wire::ExecOrder;

use super::check;
use super::given::Given;
use super::run::within;
use crate::control::Control;
use crate::error::ControlError;
use crate::jobs::NewJob;
use crate::parts::Actor;

impl Control {
    /// Takes a command in: it is run when it is its turn, once, even if nobody waits for it. Its
    /// variables and its input are not written down.
    pub async fn submit_exec(
        self: &Arc<Self>,
        actor: &Actor,
        row: &Smartbox,
        order: ExecOrder,
        stdin: Bytes,
    ) -> Result<Job, ControlError> {
        check::order(&order)?;
        if row.desired == Desired::Off {
            return Err(ControlError::Off { name: Some(row.name.clone()) });
        }
        let timeout = within(&order);
        let ExecOrder { argv, env, cwd, .. } = order;
        let names = env.keys().cloned().collect();
        let given = Given { env, stdin };
        let held = (!given.is_nothing()).then(|| ExecId::generate(&*self.parts.entropy));
        if let Some(id) = &held {
            self.hold(id, given).await?;
        }
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let asked = Asked { argv, cwd, env: names, timeout_ms, given: held.clone() };
        let input = serde_json::to_value(&asked).unwrap_or_default();
        let new = NewJob::new(KIND, Some(row.id.clone()), input);
        self.submit(actor, &row.account, new).await.inspect_err(|_| {
            if let Some(id) = &held {
                self.given.take(id);
            }
        })
    }

    async fn hold(&self, id: &ExecId, given: Given) -> Result<(), ControlError> {
        let Err(given) = self.given.hold(id, given) else { return Ok(()) };
        let open =
            store::read(&*self.parts.store, |tx| Box::pin(async move { tx.jobs().open().await }))
                .await?;
        let waits = |job: Job| serde_json::from_value::<Asked>(job.input).ok()?.given;
        let commands = open.into_iter().filter(|job| job.kind == KIND);
        self.given.keep_only(&commands.filter_map(waits).collect());
        self.given.hold(id, given).map_err(|_| ControlError::NotNow {
            why: "too much input waits for its commands".into(),
            hint: "ask again when some of them have begun".into(),
        })
    }

    /// The newest commands of a box that were jobs, newest first, beginning behind `after`.
    pub async fn execs(
        &self,
        row: &Smartbox,
        after: Option<&JobId>,
        limit: usize,
    ) -> Result<Vec<Job>, ControlError> {
        let before = match after {
            None => None,
            // One that is forgotten by now is like any place in the list: after it comes nothing.
            Some(id) => match self.exec_job(row, id).await {
                Ok(job) => Some((job.created, job.id)),
                Err(ControlError::Missing { .. }) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            },
        };
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let (smartbox, kind) = (Some(row.id.clone()), Some(KIND.to_owned()));
        self.jobs(Filter { smartbox, kind, before, limit, ..Filter::default() }).await
    }

    /// A command of this box that was a job.
    pub async fn exec_job(&self, row: &Smartbox, id: &JobId) -> Result<Job, ControlError> {
        let missing = || ControlError::Missing { what: "command" };
        let job = self.job(id).await.map_err(|error| match error {
            ControlError::Missing { .. } => missing(),
            other => other,
        })?;
        let its = job.kind == KIND && job.smartbox.as_ref() == Some(&row.id);
        its.then_some(job).ok_or_else(missing)
    }

    /// Stops a command for good; a box that is asleep stays so. Waits a moment for its end.
    pub async fn cancel_exec(
        self: &Arc<Self>,
        actor: &Actor,
        row: &Smartbox,
        id: &JobId,
    ) -> Result<Job, ControlError> {
        let job = self.exec_job(row, id).await?;
        if job.state.is_final() {
            return Ok(job);
        }
        let job = self.cancel_job(actor, id).await?;
        let asked = serde_json::from_value::<Asked>(job.input.clone()).ok();
        if let Some(given) = asked.and_then(|asked| asked.given) {
            self.given.take(&given);
        }
        self.job_over(id, Duration::from_secs(5)).await
    }
}
