//! Taking a snapshot: one at a time for a box, under a claim, and named in one transaction.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smartbox_core::id::SmartboxId;
use smartbox_core::issue::Kind;
use smartbox_core::snapshot::port::{Meter, Moment, SnapshotError, TakeOrder, Taken};
use smartbox_core::snapshot::record::{Archive, Record, Why};
use smartbox_core::snapshot::{Claim, Claiming, RepositoryKey, RepositoryOf};
use smartbox_core::store;
use smartbox_core::telemetry::{Event, SnapshotEnd};
use tokio::time::Instant;

use super::book::Held;
use super::settle::Settled;
use super::still::Freezer;
use super::turn::{OfBox, Turn};
use crate::control::Control;
use crate::error::ControlError;

/// Tries of one take: the box may be started meanwhile, a file may change while it is read.
const TRIES: u32 = 4;
/// Numbers that are tried in one take: each was claimed by somebody who is gone.
const NUMBERS: u32 = 32;

/// What came of one try.
enum Tried {
    /// There is a new generation.
    Taken(Box<Record>),
    /// There is none: nothing changed, or there is no home.
    Nothing,
    /// Something went on meanwhile.
    Again(Option<SnapshotError>),
}

impl Control {
    /// Takes a snapshot of a box, as it runs or rests; nothing if its home is as the newest one, or was
    /// never made. Asked while another is being taken, it waits for that one and for its own turn, and
    /// brings one that was begun after it was asked. It goes on if nobody waits for it any more.
    pub async fn take_snapshot(
        self: &Arc<Self>,
        id: &SmartboxId,
        why: Why,
        meter: Option<Meter>,
    ) -> Result<Option<Record>, ControlError> {
        if self.draining.is_cancelled() {
            return Err(ControlError::Draining);
        }
        let of = self.archiving.of(id);
        let asked = of.begun.load(Ordering::SeqCst);
        let (control, id) = (self.clone(), id.clone());
        let task = self.tasks.spawn(async move {
            let draining = control.draining.clone();
            let taken = draining.run_until_cancelled(control.in_turn(&of, asked, &id, why, meter));
            taken.await.unwrap_or(Err(ControlError::Draining))
        });
        task.await.unwrap_or(Err(ControlError::Draining))
    }

    async fn in_turn(
        self: &Arc<Self>,
        of: &Arc<OfBox>,
        asked: u64,
        id: &SmartboxId,
        why: Why,
        meter: Option<Meter>,
    ) -> Result<Option<Record>, ControlError> {
        let mut turn = of.turn.clone().lock_owned().await;
        if let Some((begun, record)) = &turn.last
            && *begun > asked
            && (record.is_some() || is_automatic(why))
        {
            return Ok(record.clone());
        }
        let begun = of.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let taken = self.in_my_turn(&mut turn, id, why, meter).await;
        if let Ok(record) = &taken {
            turn.last = Some((begun, record.clone()));
        }
        taken
    }

    /// The same by who has the turn already.
    pub(super) async fn in_my_turn(
        self: &Arc<Self>,
        turn: &mut Turn,
        id: &SmartboxId,
        why: Why,
        meter: Option<Meter>,
    ) -> Result<Option<Record>, ControlError> {
        let mut last = None;
        for _ in 0..TRIES {
            match self.try_to_take(turn, id, why, meter.clone()).await {
                Ok(Tried::Taken(record)) => {
                    self.settle_issues(id, &[Kind::SnapshotFailed, Kind::SnapshotLate]).await;
                    return Ok(Some(*record));
                }
                Ok(Tried::Nothing) => return Ok(None),
                Ok(Tried::Again(error)) => last = error,
                Err(ControlError::Snapshot(error @ SnapshotError::Corrupt { .. }))
                    if turn.may_look_for_damage() =>
                {
                    self.find_damage(id).await;
                    last = Some(error);
                }
                Err(error) => return Err(self.not_taken(id, why, error).await),
            }
        }
        let error = last.map_or_else(busy, ControlError::from);
        Err(self.not_taken(id, why, error).await)
    }

    async fn try_to_take(
        self: &Arc<Self>,
        turn: &mut Turn,
        id: &SmartboxId,
        why: Why,
        meter: Option<Meter>,
    ) -> Result<Tried, ControlError> {
        let (began, at) = (Instant::now(), self.parts.clock.now());
        let held = self.held(id).await?;
        let missing = ControlError::Missing { what: "smartbox" };
        let row = held.row.as_ref().ok_or(missing)?;
        let keeper = self.keeper(id).ok_or(ControlError::Missing { what: "smartbox" })?;
        let Some(home) = self.parts.places.place(self.home_of(row)).await? else {
            return Ok(Tried::Nothing);
        };
        let exclude = self.parts.settings.snapshots.exclude.clone();
        if is_automatic(why)
            && held.archive.trouble.is_none()
            && let Some(newest) = held.newest()
            && held.archive.home == Some(newest.generation)
        {
            let since = newest.snapshot.clone();
            if !self.parts.snapshots.changed(home.clone(), exclude.clone(), since).await? {
                self.archiving.is_fresh(id, at);
                self.put_beside(turn, id).await?;
                return Ok(Tried::Nothing);
            }
        }
        let of = self.repository(turn, &held).await?;
        let claim = self.claim(&of, &held).await?;
        let freezer = Freezer::new(self, &keeper);
        let moment = Moment::Held(freezer.clone());
        let order = TakeOrder { home, moment, exclude, claim, at, meter };
        let taken = self.parts.snapshots.take(of, order).await;
        drop(freezer);
        let end = |end, taken: Option<&Taken>| {
            let (held, added) = taken.map_or_else(Default::default, |one| (one.held, one.added));
            let took = began.elapsed();
            self.parts.telemetry.note(Event::Snapshot { end, took, held, added });
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                end(SnapshotEnd::Failed, None);
                return match error {
                    SnapshotError::Hole { .. } => Ok(Tried::Again(Some(error))),
                    error => Err(error.into()),
                };
            }
        };
        match self.settle_claim(id, claim, &taken, why, at).await? {
            Settled::Orphan => {
                end(SnapshotEnd::Orphan, Some(&taken));
                Ok(Tried::Again(None))
            }
            Settled::Named(record) => {
                end(SnapshotEnd::Taken, Some(&taken));
                self.archiving.is_fresh(id, at);
                if let Err(error) = self.put_beside(turn, id).await {
                    // The generation stands; what lies beside it is a step behind until the next look.
                    tracing::warn!(smartbox = %id, %error, "what lies beside the snapshots is not the newest");
                }
                Ok(Tried::Taken(record))
            }
        }
    }

    /// The repository of a box, made on first use. Its key is in the records, and beside it, before
    /// anything is written with it.
    async fn repository(&self, turn: &mut Turn, held: &Held) -> Result<RepositoryOf, ControlError> {
        let id = held.archive.smartbox.clone();
        let key = match &held.key {
            Some(key) => key.clone(),
            None => {
                let fresh = RepositoryKey::generate(&*self.parts.entropy);
                let (id, key) = (id.clone(), fresh.clone());
                store::write(&*self.parts.store, move |tx| {
                    Box::pin(async move {
                        if tx.archives().get(id.clone()).await?.is_none() {
                            tx.archives().put(Archive::new(id.clone())).await?;
                        }
                        tx.archives().set_key(id, key).await
                    })
                })
                .await
                .inspect_err(|error| self.heed(error))?;
                fresh
            }
        };
        let of = RepositoryOf { smartbox: id.clone(), key };
        if held.generations.is_empty() {
            match self.parts.snapshots.create(of.clone()).await {
                Ok(()) | Err(SnapshotError::Exists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            self.put_beside(turn, &id).await?;
        }
        Ok(of)
    }

    /// Claims the next number.
    async fn claim(&self, of: &RepositoryOf, held: &Held) -> Result<Claim, ControlError> {
        let lineage = held.lineage();
        let newest = lineage.newest().map(|newest| newest.generation);
        for _ in 0..NUMBERS {
            let claims = self.parts.snapshots.claims(of.clone(), newest).await?;
            let generation = match lineage.claiming(&claims) {
                Claiming::May(generation) => generation,
                Claiming::Restore { newest } => {
                    return Err(ControlError::NotNow {
                        why: format!(
                            "its home was not restored from its newest snapshot, generation {}",
                            newest.0
                        ),
                        hint: "restore that one first: another one would bury it".into(),
                    });
                }
                Claiming::Fenced { .. } => {
                    return Err(ControlError::Refused {
                        why: "another installation has taken this smartbox over".into(),
                        hint: "remove it here; it lives there".into(),
                    });
                }
                Claiming::Exhausted => {
                    return Err(ControlError::Refused {
                        why: "there is no number left for a snapshot".into(),
                        hint: String::new(),
                    });
                }
            };
            let claim = Claim { generation, fence: lineage.fence, at: self.parts.clock.now() };
            match self.parts.snapshots.claim(of.clone(), claim).await {
                Ok(()) => return Ok(claim),
                Err(SnapshotError::Exists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }
}

/// Whether it is taken by itself, and only if something has changed.
fn is_automatic(why: Why) -> bool {
    !matches!(why, Why::Asked | Why::Import)
}

fn busy() -> ControlError {
    ControlError::NotNow {
        why: "the smartbox was started or restored while its snapshot was taken".into(),
        hint: "take it again".into(),
    }
}
