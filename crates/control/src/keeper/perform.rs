//! Performing one step.

use std::sync::Arc;

use smartbox_core::issue::Kind;
use smartbox_core::sandbox::Shift;
use smartbox_core::sandbox::port::Kept;
use smartbox_core::smartbox::State;
use smartbox_core::smartbox::plan::Step;
use smartbox_core::store;

use super::{Done, Keeper};
use crate::accounts::remove::bury_if_empty;
use crate::control::Control;
use crate::error::ControlError;
use crate::snapshots::bury;

impl Keeper {
    pub(super) async fn perform(
        self: &Arc<Self>,
        control: &Arc<Control>,
        step: Step,
    ) -> Result<Done, ControlError> {
        match step {
            Step::AwaitReady | Step::Record(_) => {
                tracing::debug!(smartbox = %self.id, ?step, "performing");
            }

            _ => tracing::info!(smartbox = %self.id, ?step, "performing"),
        }
        match step {
            Step::Start => self.start(control).await,
            Step::StartEngine => self.start_engine(control).await,
            Step::AwaitReady => self.await_ready(control).await,
            Step::Thaw => self.thaw(control).await,
            Step::Freeze => self.freeze(control).await,
            Step::Stop => self.stop(control).await,
            Step::Discard => self.discard(control).await,
            Step::Forget => self.forget(control).await,
            Step::Record(state) => self.record(control, state).await,
        }
    }

    async fn discard(&self, control: &Control) -> Result<Done, ControlError> {
        self.forget_sandbox();
        self.shift(control, Shift::Remove).await?;
        self.no_stop();
        Ok(Done::Yes)
    }

    async fn forget(self: &Arc<Self>, control: &Arc<Control>) -> Result<Done, ControlError> {
        if let Some(wait) = self.keep_for_good(control).await? {
            return Ok(wait);
        }
        let _alone = self.home.write().await;
        control.parts.runtime.kept(self.id.clone(), Kept::Forget).await?;
        let (id, now) = (self.id.clone(), control.parts.clock.now());
        let tombstones = control.parts.settings.snapshots.tombstones;
        store::write(&*control.parts.store, move |tx| {
            Box::pin(async move {
                let row = tx.boxes().get(id.clone()).await?;
                if let Some(row) = &row {
                    bury(tx, row, now, tombstones).await?;
                }
                tx.boxes().remove(id).await?;
                match row {
                    Some(row) => bury_if_empty(tx, &row.account, now).await,
                    None => Ok(()),
                }
            })
        })
        .await
        .inspect_err(|error| control.heed(error))?;
        control.parts.egress.forget(&self.id);
        control.parts.book.bury(&self.id).await?;
        control.forget_issues_of(&self.id);
        Ok(Done::Yes)
    }

    async fn record(&self, control: &Control, state: State) -> Result<Done, ControlError> {
        let going = control.parts.activity.going(&self.id).last;
        let now = control.parts.clock.now();
        let ending = (state == State::Running).then(|| self.memory().ending.take()).flatten();
        let row = control
            .change(&self.id, None, move |row| {
                row.state = state;
                row.last_active = row.last_active.max(going);
                if state != State::Failed {
                    row.failure = None;
                } else if row.failure.is_none() {
                    row.failure.clone_from(&row.vitals.breaker.open);
                }
                if state == State::Running {
                    row.failures = 0;
                    row.retry_at = None;
                    row.vitals.is_ready(now);
                    row.vitals.exit = ending.or(row.vitals.exit);
                }
                Ok(())
            })
            .await?;
        if matches!(state, State::Running | State::Stopped | State::Frozen) {
            control.settle_issues(&self.id, &[Kind::BoxFailed]).await;
        }
        let ready = self.memory().ready.is_some();
        self.now.send_modify(|now| {
            now.state = row.state;
            now.failure.clone_from(&row.failure);
            now.ready = ready;
            if matches!(state, State::Running | State::Stopped | State::Frozen) {
                now.phase.clear();
            }
        });
        Ok(Done::Yes)
    }
}
