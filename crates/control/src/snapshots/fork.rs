//! A new box that begins with another one's snapshot.

use std::sync::Arc;

use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::{Base, Desired, Kind, Smartbox, Vitals};
use smartbox_core::snapshot::Generation;
use smartbox_core::snapshot::record::{Archive, Origin};
use smartbox_core::store;

use super::act::note;
use crate::accounts::find::present;
use crate::boxes::create::insert;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// Makes the box with this id, unless it is there, and puts the snapshot in the place of its home.
    /// Its row says from the beginning where its home comes from: started before that is in place, it
    /// restores it by itself. Its snapshots are its own.
    pub(crate) async fn fork_snapshot(
        self: &Arc<Self>,
        actor: &Actor,
        source: &SmartboxId,
        generation: Option<Generation>,
        fork: (&SmartboxId, &str),
    ) -> Result<(Smartbox, Generation), ControlError> {
        let held = self.held(source).await?;
        let record = held.generation(generation)?.clone();
        let missing = ControlError::Missing { what: "smartbox" };
        let from = held.row.as_ref().ok_or(missing)?;
        let row = match self.row(fork.0).await? {
            Some(row) => row,
            None => self.insert_fork(actor, from, &record.snapshot, fork).await?,
        };
        if self.keeper(&row.id).is_none() {
            self.keep(&row);
        }
        let turn = self.archiving.of(&row.id);
        let _turn = turn.turn.lock().await;
        if self.parts.places.place(self.home_of(&row)).await?.is_none() {
            self.put_in_place(&row, held.repository()?, record.snapshot).await?;
        }
        let wished = from.desired;
        let row = self
            .change(&row.id, None, move |row| {
                row.desired = wished;
                Ok(())
            })
            .await?;
        Ok((row, record.generation))
    }

    async fn insert_fork(
        &self,
        actor: &Actor,
        from: &Smartbox,
        snapshot: &smartbox_core::snapshot::SnapshotId,
        (id, name): (&SmartboxId, &str),
    ) -> Result<Smartbox, ControlError> {
        smartbox_core::smartbox::name::check(name)?;
        let now = self.parts.clock.now();
        // An account has one PA.
        let (kind, base) = match from.base {
            Base::Pa => (Kind::CUSTOM, Base::Custom),
            base => (from.kind.clone(), base),
        };
        let row = Smartbox {
            display: from.display.clone(),
            labels: from.labels.clone(),
            kind,
            base,
            tier: from.tier.clone(),
            engine: from.engine.clone(),
            sleep: from.sleep,
            desired: Desired::Off,
            furnished: true,
            vitals: Vitals { engine: from.vitals.engine.clone(), ..Vitals::default() },
            ..Smartbox::new(id.clone(), from.account.clone(), name.to_owned(), now)
        };
        let origin = Origin { smartbox: from.id.clone(), snapshot: snapshot.clone() };
        let (actor, source, name) = (actor.clone(), from.id.clone(), name.to_owned());
        store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let owner = present(tx, row.account.clone()).await?;
                if !owner.active() {
                    return Ok(Err(ControlError::idle(&owner)));
                }
                let row = insert(tx, &owner, row, actor.0.clone()).await?;
                let archive = Archive { origin: Some(origin), ..Archive::new(row.id.clone()) };
                tx.archives().put(archive).await?;
                note(tx, &actor, &source, "snapshot.fork", name, now).await?;
                Ok(Ok(row))
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?
    }
}
