//! The home around starts and stops: kept before something happens to it, restored where it is gone.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::smartbox::Smartbox;
use smartbox_core::smartbox::plan::{Target, target};
use smartbox_core::snapshot::record::{Leaving, Why};

use super::{Done, Keeper};
use crate::control::Control;
use crate::error::ControlError;

/// How long a stop or a start waits for a snapshot. It goes on all the same: the home is on the disk.
const WITHIN: Duration = Duration::from_secs(30);
/// How soon a removal asks again for its last snapshot.
const ASK_AGAIN: Duration = Duration::from_secs(30);

impl Keeper {
    /// Keeps a home that has come to rest. Who wants the box back waits for no storage.
    pub(super) async fn keep_home(self: &Arc<Self>, control: &Arc<Control>, why: Why) {
        if control.archiving.stands_still(&self.id) || control.archiving.is_scratch(&self.id) {
            return;
        }
        let before = self.say_and("keeping a snapshot");
        let taken = control.take_snapshot(&self.id, why, None);
        let was = self.wished(control).await;
        let mut rung = false;
        let woken = async {
            loop {
                self.bell.notified().await;
                rung = true;
                let wished = self.wished(control).await;
                if wished == Some(Target::Running) && was != wished {
                    return;
                }
            }
        };
        tokio::select! {
            // What came of it is in the records and among the issues.
            _ = taken => {}
            () = woken => {}
            () = tokio::time::sleep(WITHIN) => {
                tracing::warn!(smartbox = %self.id, "a snapshot takes long; it goes on beside the box");
            }
        }
        if rung {
            self.nudge();
        }
        self.say(&before);
    }

    async fn wished(&self, control: &Control) -> Option<Target> {
        let row = self.as_of_now(control, control.row(&self.id).await.ok()??);
        let busy = control.parts.activity.going(&self.id).busy;
        let policy = row.sleep_policy(control.parts.settings.sleep);
        Some(target(&row, busy, policy, control.parts.clock.now()))
    }

    /// Why a stop is a reason for a snapshot.
    pub(super) fn why_stopped(row: &Smartbox) -> Why {
        if row.restart == row.restarted { Why::Sleep } else { Why::Restart }
    }

    /// Another engine than the last one's may change the home so that the last one cannot read it.
    pub(super) async fn keep_before_upgrade(
        self: &Arc<Self>,
        control: &Arc<Control>,
        row: &Smartbox,
    ) -> Result<String, ControlError> {
        let version = control.engine(&row.engine)?.engine.manifest().version.clone();
        if row.vitals.engine.as_ref().is_some_and(|last| *last != version) {
            self.keep_home(control, Why::Upgrade).await;
        }
        Ok(version)
    }

    /// Takes the last snapshot of a box that is removed. Some(when to ask again) if it must wait for it.
    pub(super) async fn keep_for_good(
        self: &Arc<Self>,
        control: &Arc<Control>,
    ) -> Result<Option<Done>, ControlError> {
        let leaving = control.held(&self.id).await?.archive.leaving;
        if leaving == Leaving::Purge || control.archiving.is_scratch(&self.id) {
            return Ok(None);
        }
        self.say("taking its last snapshot");
        let taken = control.take_snapshot(&self.id, Why::Removal, None);
        let taken = match leaving {
            Leaving::Force => match tokio::time::timeout(WITHIN, taken).await {
                Ok(Err(ControlError::Draining)) => return Err(ControlError::Draining),
                _ => return Ok(None),
            },
            _ => taken.await,
        };
        match taken {
            Ok(_) => Ok(None),
            Err(ControlError::Draining) => Err(ControlError::Draining),
            Err(error) => {
                self.say(&format!(
                    "waiting to take its last snapshot ({error}); `--force` removes it without"
                ));
                Ok(Some(Done::NotNow(ASK_AGAIN)))
            }
        }
    }

    fn say_and(&self, phase: &str) -> String {
        let before = self.now().phase;
        self.say(phase);
        before
    }
}
