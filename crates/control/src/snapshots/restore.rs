//! Another state in the place of a home.
//!
//! The box stands still, by the engine's contract. What is there becomes the newest generation, which is
//! how a restore is undone; only then another state takes its place, in one step. What took its place is
//! that generation's successor and is kept at once, before the box goes on. Killed at any moment, the
//! home is the one or the other, whole; done again, it comes to the same.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::Phase;
use smartbox_core::smartbox::State;
use smartbox_core::snapshot::Generation;
use smartbox_core::snapshot::port::Meter;
use smartbox_core::snapshot::record::Why;
use smartbox_core::store;

use super::act::note;
use super::settle::edit;
use super::turn::StandStill;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// A busy engine finishes its turn first.
const PATIENCE: Duration = Duration::from_mins(15);

/// What came of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restored {
    /// The generation that was restored.
    pub(crate) generation: Generation,
    /// The one that has what was there before; none if nothing was there.
    pub(crate) undo: Option<Generation>,
}

impl Control {
    /// Puts a generation in the place of the home. `said` hears what is being done.
    pub(crate) async fn restore_in_place(
        self: &Arc<Self>,
        actor: &Actor,
        id: &SmartboxId,
        generation: Generation,
        said: &(dyn Fn(&str) + Send + Sync),
        meter: Option<Meter>,
    ) -> Result<Restored, ControlError> {
        self.held(id).await?.generation(Some(generation))?;
        said("waiting until the smartbox stands still");
        let still = StandStill::begin(self, id);
        let keeper = self.keeper(id).ok_or(ControlError::Missing { what: "smartbox" })?;
        self.stands_still(id).await?;
        // Whoever writes files waits: what is written now would be lost.
        let mut alone = keeper.alone().await;
        said("keeping what is there");
        self.take_snapshot(id, Why::Restore, None).await?;
        let of = self.archiving.of(id);
        let mut turn = of.turn.clone().lock_owned().await;
        let held = self.held(id).await?;
        let missing = ControlError::Missing { what: "smartbox" };
        let row = held.row.as_ref().filter(|row| !row.removing).ok_or(missing)?;
        let record = held.generation(Some(generation))?.clone();
        let home = self.home_of(row);
        let there = self.parts.places.place(home.clone()).await?.is_some();
        let mut lineage = held.lineage();
        if !lineage.may_replace(there) {
            return Err(ControlError::NotNow {
                why: "what is in the home is in no snapshot".into(),
                hint: "take one first".into(),
            });
        }
        let undo = lineage.newest().map(|newest| newest.generation).filter(|_| there);
        said("restoring");
        let stage = self.parts.places.stage(home.clone()).await?;
        let repository = held.repository()?;
        self.parts.snapshots.restore(repository, record.snapshot.clone(), stage, meter).await?;
        lineage.replaced();
        let (wanted, actor, now) = (id.clone(), actor.clone(), self.parts.clock.now());
        store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                edit(tx, &wanted, |archive| archive.home = lineage.home).await?;
                let detail = format!("generation {}", generation.0);
                note(tx, &actor, &wanted, "snapshot.restore", detail, now).await
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?;
        // Before it is in place: what came for the home until now is for another one, whatever comes of it.
        *alone += 1;
        self.parts.places.adopt(home).await?;
        drop(alone);
        said("keeping what was restored");
        // The restore stands, whatever comes of this: the next one that is taken shows the same.
        if let Err(error) = self.in_my_turn(&mut turn, id, Why::Change, None).await {
            tracing::warn!(smartbox = %id, %error, "what was restored is not a generation of its own yet");
        }
        drop(still);
        Ok(Restored { generation, undo })
    }

    /// Waits until there is no sandbox, of a box that is to stand still.
    async fn stands_still(&self, id: &SmartboxId) -> Result<(), ControlError> {
        let missing = || ControlError::Missing { what: "smartbox" };
        let keeper = self.keeper(id).ok_or_else(missing)?;
        let mut seen = keeper.watch();
        let rests = seen.wait_for(|now| {
            now.gone || (now.settled && matches!(now.state, State::Stopped | State::Failed))
        });
        match tokio::time::timeout(PATIENCE * self.parts.settings.patience, rests).await {
            Err(_) => return Err(ControlError::Late { state: keeper.state() }),
            Ok(Err(_)) => return Err(ControlError::Draining),
            Ok(Ok(now)) if now.gone => return Err(missing()),
            Ok(Ok(_)) => {}
        }
        let observed = self.parts.runtime.observe(id.clone()).await?;
        if observed.phase != Phase::Absent {
            return Err(ControlError::Late { state: keeper.state() });
        }
        Ok(())
    }
}
