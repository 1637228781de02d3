//! What the edge asks: which box is meant, wake it, connect to it.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::BoxFuture;
use smartbox_core::id::SmartboxId;
use smartbox_core::route::Route;
use smartbox_core::route::port::{Resolve, WakeError};
use smartbox_core::sandbox::port::{Conn, RuntimeError, Target};
use smartbox_core::smartbox::{Desired, Smartbox, State};
use smartbox_core::store::{self, StoreError};
use smartbox_core::telemetry::TRACE;
use tokio::sync::watch;
use tracing::field::Empty;
use tracing::{Instrument, info_span};

use crate::control::Control;
use crate::error::ControlError;
use crate::keeper::{Keeper, Now};
use crate::trail::Trail;

impl Resolve for Control {
    fn route<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Option<Route>, StoreError>> {
        Box::pin(async move {
            // Asked before the row is read: a commit in between makes what was read old at once.
            let version = self.parts.store.version();
            if let Some(row) = self.routes.find(label, version) {
                return Ok(Some(self.route_of(&row)));
            }
            let wanted = label.to_owned();
            let row = store::read(&*self.parts.store, |tx| {
                Box::pin(async move { tx.boxes().labelled(wanted).await })
            })
            .await?;
            let row = row.filter(|row| !row.removing).map(Arc::new);
            self.routes.learn(label, version, row.as_ref());
            Ok(row.map(|row| self.route_of(&row)))
        })
    }

    fn wake(&self, id: SmartboxId, within: Duration) -> BoxFuture<'_, Result<(), WakeError>> {
        Box::pin(async move {
            let Some(keeper) = self.keeper(&id) else { return Err(WakeError::Missing) };
            let seen = keeper.watch();
            if seen.borrow().answers() {
                self.activity().touch(&id);
                return Ok(());
            }
            let span = info_span!(target: TRACE, "control.wake", smartbox.id = %id, otel.status_code = Empty);
            let woken = self.woken(&id, &keeper, seen, within).instrument(span.clone()).await;
            if woken.is_err() {
                span.record("otel.status_code", "ERROR");
            }
            woken
        })
    }

    fn nudge(&self, id: SmartboxId) -> BoxFuture<'_, Result<(), WakeError>> {
        Box::pin(async move { self.wish_awake(&id).await.map(drop) })
    }

    fn leaving(&self, id: &SmartboxId) -> bool {
        self.keeper(id).is_some_and(|keeper| keeper.now().leaving)
    }

    fn dial(&self, id: SmartboxId) -> BoxFuture<'_, Result<Conn, WakeError>> {
        Box::pin(async move {
            let keeper = self.keeper(&id).ok_or(WakeError::Missing)?;
            let late = || WakeError::Late { state: keeper.now().state };
            match self.parts.runtime.dial(id, Target::Port(keeper.port(self))).await {
                Ok(conn) => Ok(conn),
                Err(RuntimeError::Absent(_) | RuntimeError::Refused { .. }) => {
                    keeper.nudge();
                    Err(late())
                }
                Err(error) => {
                    tracing::warn!(%error, "an engine cannot be dialled");
                    Err(late())
                }
            }
        })
    }

    fn changed(&self, id: SmartboxId, seen: State) -> BoxFuture<'_, Result<State, StoreError>> {
        Box::pin(async move {
            let Some(keeper) = self.keeper(&id) else {
                return Err(StoreError::Missing { what: "smartbox" });
            };
            let mut watch = keeper.watch();
            match watch.wait_for(|now| now.gone || now.state != seen).await {
                Ok(now) if !now.gone => Ok(now.state),
                _ => Err(StoreError::Missing { what: "smartbox" }),
            }
        })
    }
}

impl Control {
    /// Wishes it awake and waits for it.
    async fn woken(
        &self,
        id: &SmartboxId,
        keeper: &Keeper,
        mut seen: watch::Receiver<Now>,
        within: Duration,
    ) -> Result<(), WakeError> {
        let since = self.wish_awake(id).await?;
        let woken = seen.wait_for(|now| {
            now.gone || now.answers() || now.failure.as_ref().is_some_and(|f| f.at >= since)
        });
        let drained = self.draining.run_until_cancelled(tokio::time::timeout(within, woken)).await;
        match drained {
            None | Some(Ok(Err(_))) => Err(WakeError::Draining),
            Some(Err(_)) => Err(WakeError::Late { state: keeper.now().state }),
            Some(Ok(Ok(now))) if now.gone => Err(WakeError::Missing),
            Some(Ok(Ok(now))) => match now.failure.clone() {
                Some(failure) if !now.answers() => Err(WakeError::Failed(failure)),
                _ => Ok(()),
            },
        }
    }

    /// Writes the wish to be awake. Returns when that was, so that only later failures count.
    async fn wish_awake(
        &self,
        id: &SmartboxId,
    ) -> Result<smartbox_core::time::Timestamp, WakeError> {
        let now = self.parts.clock.now();
        let row = self.row(id).await?.ok_or(WakeError::Missing)?;
        if row.removing {
            return Err(WakeError::Missing);
        }
        if row.desired == Desired::Off || self.idle(&row.account) {
            return Err(WakeError::Off);
        }
        if let Some(failure) = row.vitals.breaker.open {
            return Err(WakeError::Failed(failure));
        }
        if let (State::Failed, Some(failure), Some(retry)) = (row.state, &row.failure, row.retry_at)
            && now < retry
        {
            return Err(WakeError::Failed(failure.clone()));
        }
        if let Some(keeper) = self.keeper(id) {
            keeper.because(Trail::here());
        }
        self.change(id, None, move |row| {
            row.touch(now);
            Ok(())
        })
        .await
        .map_err(|error| match error {
            ControlError::Store(error) => WakeError::Store(error),
            _ => WakeError::Missing,
        })?;
        Ok(now)
    }

    fn route_of(&self, row: &Smartbox) -> Route {
        let now = self.keeper(&row.id).map(|keeper| keeper.now()).unwrap_or_default();
        let port = self.engine(&row.engine).map_or(0, |slot| slot.engine.manifest().port);
        let state =
            if now.state == State::Running && !now.answers() { State::Starting } else { row.state };
        Route {
            id: row.id.clone(),
            account: row.account.clone(),
            name: row.name.clone(),
            label: row.label.clone(),
            desired: row.desired,
            state,
            phase: now.phase,
            failure: row.failure.clone(),
            port,
        }
    }
}
