//! Looking now and then at what nobody tells: the machine's disk and memory, full homes, limits that
//! are hit no more, boxes that send too much. And sweeping what is old.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::issue::{self, Filter, Kind, key};
use smartbox_core::machine::{Space, is_low, least_disk, least_memory};
use smartbox_core::smartbox::{Reason, Smartbox, State};
use smartbox_core::store;
use smartbox_core::time::Timestamp;

use super::Cause;
use crate::control::Control;
use crate::error::ControlError;

/// How often one looks.
const EVERY: Duration = Duration::from_secs(60);
/// Looks between two sweeps: an hour.
const SWEEP: u32 = 60;
/// A memory limit that was not hit for so long is no issue any more.
const CALM: Duration = Duration::from_hours(1);
/// The most issues that one look goes through.
const MANY: u32 = 10_000;

impl Control {
    /// Looks until the platform goes down.
    pub(crate) fn watch_issues(self: &Arc<Self>) {
        let control = self.clone();
        self.tasks.spawn(async move {
            let draining = control.draining.clone();
            let _ = draining.run_until_cancelled(control.keep_looking()).await;
        });
    }

    async fn keep_looking(&self) {
        for look in 0_u32.. {
            let now = self.parts.clock.now();
            self.look_at_machine().await;
            if let Err(error) = self.look_at_boxes(now).await {
                tracing::warn!(%error, "looking for issues");
            }
            if look.is_multiple_of(SWEEP)
                && let Err(error) = self.sweep_issues(now).await
            {
                tracing::warn!(%error, "sweeping old issues");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn look_at_machine(&self) {
        let machine = self.parts.gauges.machine();
        let disk = (machine.disk, least_disk(machine.disk.total));
        let memory = (machine.memory, least_memory(machine.memory.total));
        self.look_at_space(
            Kind::DiskLow,
            disk,
            "The disk with the data directory is nearly full",
            "Free some space, or move the data directory to a larger disk.",
        )
        .await;
        self.look_at_space(
            Kind::MemoryLow,
            memory,
            "The memory of this machine is nearly used up",
            "Let idle smartboxes sleep (SANDBOX_SLEEP_AFTER=10m), give it swap (see `smartbox doctor`), or more memory.",
        )
        .await;
    }

    async fn look_at_space(&self, kind: Kind, of: (Space, u64), what: &str, hint: &str) {
        let (space, least) = of;
        let name = key(kind, "");
        if is_low(space, least, self.is_open(&name)) {
            let left = format!("{} of {} MiB are free", space.free >> 20, space.total >> 20);
            self.raise(Cause {
                kind,
                account: None,
                smartbox: None,
                about: String::new(),
                message: format!("{what}: {left}."),
                hint: hint.to_owned(),
            })
            .await;
        } else {
            self.settle_key(&name).await;
        }
    }

    async fn look_at_boxes(&self, now: Timestamp) -> Result<(), ControlError> {
        let rows = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.boxes().list(None).await })
        })
        .await?;
        // First: that the home of one cannot be read must not hide what another sends.
        self.look_at_egress(&rows, now).await;
        for row in rows.iter().filter(|row| matches!(row.state, State::Running | State::Starting)) {
            self.look_at_home(row).await?;
        }
        let filter = Filter { open: Some(true), ..Filter::default() };
        let open = self.list_issues(filter, None, MANY).await?;
        for issue in &open {
            self.calm_egress(issue, now).await;
        }
        for issue in open.iter().filter(|issue| issue.kind == Kind::MemoryLimit) {
            let row = rows.iter().find(|row| Some(&row.id) == issue.smartbox.as_ref());
            let hit =
                row.and_then(|row| row.vitals.exit).filter(|e| e.reason == Reason::OutOfMemory);
            // A clock that moved back makes an end lie ahead; then the issue's own time decides.
            let calm = hit.is_none_or(|exit| now.since(exit.at) >= CALM);
            if calm && now.since(issue.last) >= CALM {
                self.settle_key(&issue.key).await;
            }
        }
        Ok(())
    }

    async fn look_at_home(&self, row: &Smartbox) -> Result<(), ControlError> {
        let home = self.parts.gauges.home(row.id.clone()).await?;
        if home.is_full() {
            self.raise(Cause {
                kind: Kind::HomeFull,
                account: Some(row.account.clone()),
                smartbox: Some(row.id.clone()),
                about: String::new(),
                message: format!(
                    "The home of {} is full: {} of {} MiB.",
                    row.name,
                    home.used >> 20,
                    home.limit >> 20
                ),
                hint: format!("Remove files in it, or give {} a larger tier.", row.name),
            })
            .await;
        } else {
            self.settle_issues(&row.id, &[Kind::HomeFull]).await;
        }
        Ok(())
    }

    async fn sweep_issues(&self, now: Timestamp) -> Result<(), ControlError> {
        let kept = i64::try_from(issue::KEPT.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp(now.0.saturating_sub(kept));
        store::write(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.issues().sweep(before, issue::MOST).await })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        Ok(())
    }
}
