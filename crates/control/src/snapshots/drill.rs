//! A restore drill: the newest snapshot in a scratch box of its own, whose engine must come up, find
//! itself well and answer.
//!
//! A scratch box keeps nothing and reaches nobody: no snapshots, no tombstone, nothing that it sends out
//! is served, and its models are the built-in demo. Which boxes are, the jobs say; so those of a process
//! that died are known before they are kept again.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::issue::Kind as About;
use smartbox_core::job::port::Filter;
use smartbox_core::message::Delivery;
use smartbox_core::smartbox::{Base, Desired, Kind, Smartbox, State, Vitals};
use smartbox_core::snapshot::record::{Drill, Leaving, Record};
use smartbox_core::store;
use smartbox_link::wire::ExecOrder;
use tokio::time::Instant;

use super::diagnosis::diagnosis;
use super::later::SnapshotJob;
use super::settle::edit;
use crate::accounts::find::present;
use crate::boxes::create::insert;
use crate::control::Control;
use crate::error::ControlError;
use crate::exec::Caps;
use crate::issues::Cause;
use crate::messages::accept::NewMessage;
use crate::parts::Actor;

/// The kind of job.
pub(crate) const KIND: &str = "snapshot.drill";
/// Where a job says which box is its own.
pub(crate) const SCRATCH: &str = "scratch";
/// How long the engine may take to come up, and to answer.
const WITHIN: Duration = Duration::from_mins(5);
/// How long a scratch box may take to be gone.
const GONE: Duration = Duration::from_mins(2);
/// The most jobs that are asked for scratch boxes.
const MANY: u32 = 1_000;

impl Control {
    /// Tries a restore of a box's newest snapshot in the scratch box with this id, and writes down what
    /// came of it.
    pub(crate) async fn drill(
        self: &Arc<Self>,
        id: &SmartboxId,
        scratch: &SmartboxId,
        said: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Drill, ControlError> {
        let held = self.held(id).await?;
        let record = held.generation(None)?.clone();
        let source = held.row.clone().ok_or(ControlError::Missing { what: "smartbox" })?;
        let (at, began) = (self.parts.clock.now(), Instant::now());
        let tried = async {
            said("restoring into a scratch smartbox");
            let row = self.make_scratch(&source, scratch).await?;
            let home = self.home_of(&row);
            let stage = self.parts.places.stage(home.clone()).await?;
            let (of, snapshot) = (held.repository()?, record.snapshot.clone());
            self.parts.snapshots.restore(of, snapshot, stage, None).await?;
            self.parts.places.adopt(home).await?;
            said("starting its engine");
            self.change(scratch, None, |row| {
                row.desired = Desired::On;
                Ok(())
            })
            .await?;
            let within = WITHIN * self.parts.settings.patience;
            self.settle(scratch, &[State::Running], within).await?;
            self.see_whether_it_lives(&row, said).await
        };
        let tried: Result<String, ControlError> = tried.await;
        let (passed, note) = match tried {
            Ok(note) => (true, note),
            Err(error @ (ControlError::Draining | ControlError::Store(_))) => return Err(error),
            Err(error) => (false, error.to_string()),
        };
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let drill = Drill { at, generation: record.generation, passed, took_ms, note };
        self.note_drill(&source, &record, &drill).await?;
        Ok(drill)
    }

    async fn make_scratch(
        self: &Arc<Self>,
        source: &Smartbox,
        scratch: &SmartboxId,
    ) -> Result<Smartbox, ControlError> {
        self.archiving.set_scratch(scratch);
        let now = self.parts.clock.now();
        let tail = scratch.as_str().chars().rev().take(12).collect::<String>().to_lowercase();
        let row = Smartbox {
            kind: Kind::CUSTOM,
            base: Base::Custom,
            tier: source.tier.clone(),
            engine: source.engine.clone(),
            desired: Desired::Off,
            furnished: true,
            vitals: Vitals { engine: source.vitals.engine.clone(), ..Vitals::default() },
            ..Smartbox::new(scratch.clone(), source.account.clone(), format!("drill-{tail}"), now)
        };
        let row = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let owner = present(tx, row.account.clone()).await?;
                insert(tx, &owner, row, Actor::platform().0).await
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        self.keep(&row);
        Ok(row)
    }

    /// Has the engine look after itself, if it can, and answer a message.
    async fn see_whether_it_lives(
        self: &Arc<Self>,
        row: &Smartbox,
        said: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<String, ControlError> {
        let broken = |why: String| ControlError::Refused { why, hint: String::new() };
        let manifest = self.engine(&row.engine)?.engine.manifest();
        let mut note = String::from("the engine came up");
        if !manifest.doctor.is_empty() {
            said("letting its engine look after itself");
            let order = ExecOrder {
                argv: manifest.doctor.clone(),
                env: manifest.env.clone(),
                cwd: None,
                timeout_ms: u64::try_from((WITHIN * self.parts.settings.patience).as_millis()).ok(),
                tty: None,
            };
            let (actor, caps) = (Actor::platform(), Caps::default());
            let run = self.run(&actor, &row.id, order, bytes::Bytes::new(), caps).await?;
            diagnosis(&run).map_err(broken)?;
            note += ", its doctor found it well";
        }
        said("asking it something");
        let new = NewMessage {
            id: None,
            session: Some("drill".into()),
            channel: "drill".into(),
            text: "This is a restore drill. Say that you are there.".into(),
        };
        let message = self.accept(&row.id, new).await?;
        let answered = async {
            let mut events = self.follow(&message.id);
            while futures_util::StreamExt::next(&mut events).await.is_some() {}
        };
        let within = WITHIN * self.parts.settings.patience;
        if tokio::time::timeout(within, answered).await.is_err() {
            return Err(broken("the engine did not answer in time".into()));
        }
        let message = self.message(&message.id).await?;
        match message.state {
            Delivery::Answered => Ok(note + " and answered"),
            _ => Err(broken(format!(
                "the engine did not answer: {}",
                message.error.unwrap_or_else(|| "no reason was given".into())
            ))),
        }
    }

    async fn note_drill(
        &self,
        source: &Smartbox,
        record: &Record,
        drill: &Drill,
    ) -> Result<(), ControlError> {
        let (id, noted) = (source.id.clone(), drill.clone());
        store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                edit(tx, &id, |archive| {
                    if noted.passed {
                        archive.proven = Some(noted.clone());
                    }
                    archive.drill = Some(noted);
                })
                .await
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        if drill.passed {
            self.settle_issues(&source.id, &[About::DrillFailed]).await;
            return Ok(());
        }
        self.raise(Cause {
            kind: About::DrillFailed,
            account: Some(source.account.clone()),
            smartbox: Some(source.id.clone()),
            about: String::new(),
            message: format!(
                "{}: a restore of generation {} was tried and did not live: {}.",
                source.name, record.generation.0, drill.note
            ),
            hint: format!("Try it again: `smartbox snapshot drill {}`.", source.name),
        })
        .await;
        Ok(())
    }

    /// Removes a scratch box, if it is there, with all that it had.
    pub(crate) async fn clear_scratch(
        self: &Arc<Self>,
        scratch: &SmartboxId,
    ) -> Result<(), ControlError> {
        self.archiving.set_scratch(scratch);
        match self.remove_with(&Actor::platform(), scratch, Leaving::Purge).await {
            Err(ControlError::Missing { .. }) => {}
            removed => {
                removed?;
                if !self.gone(std::slice::from_ref(scratch), GONE).await {
                    return Err(ControlError::Late { state: State::Running });
                }
            }
        }
        self.archiving.no_scratch(scratch);
        Ok(())
    }

    /// Before boxes are kept: which of them are scratch, and of no drill that goes on.
    pub(crate) async fn recall_scratch(&self) -> Result<Vec<SmartboxId>, ControlError> {
        let filter = Filter { kind: Some(KIND.into()), limit: MANY, ..Filter::default() };
        let jobs = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.jobs().list(filter).await })
        })
        .await?;
        let mut left = Vec::new();
        for job in jobs {
            let scratch = job.checkpoint.get(SCRATCH).and_then(|id| id.as_str()?.parse().ok());
            let Some(scratch) = scratch else { continue };
            if self.row(&scratch).await?.is_none() {
                continue;
            }
            self.archiving.set_scratch(&scratch);
            if job.state.is_final() {
                left.push(scratch);
            }
        }
        Ok(left)
    }

    /// Removes scratch boxes whose drills are over.
    pub(crate) async fn clear_left_over(self: Arc<Self>, left: Vec<SmartboxId>) {
        for scratch in left {
            let cleared = self.draining.run_until_cancelled(self.clear_scratch(&scratch)).await;
            if let Some(Err(error)) = cleared {
                tracing::warn!(smartbox = %scratch, %error, "a scratch smartbox cannot be removed");
            }
        }
    }

    /// Begins a drill of the box whose last one is the longest ago, if one is due.
    pub(super) async fn drill_one(self: &Arc<Self>) -> Result<(), ControlError> {
        let Some(every) = self.parts.settings.snapshots.drill_every else { return Ok(()) };
        let now = self.parts.clock.now();
        let mut due = Vec::new();
        for row in self.list_all().await? {
            let held = self.held(&row.id).await?;
            if held.generations.is_empty() || row.removing || self.archiving.is_scratch(&row.id) {
                continue;
            }
            let last = held.archive.drill.map(|drill| drill.at);
            // A clock that moved back makes the last one lie ahead: then it is due.
            if last.is_none_or(|at| at > now || now.since(at) >= every) {
                due.push((last, row));
            }
        }
        due.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        let Some((_, row)) = due.into_iter().next() else { return Ok(()) };
        self.snapshot_later(&Actor::platform(), &row, SnapshotJob::Drill).await.map(drop)
    }
}
