//! The engine room itself.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use smartbox_core::account::Account;
use smartbox_core::activity::Activity;
use smartbox_core::audit::Act;
use smartbox_core::id::{AccountId, SmartboxId, random_text};
use smartbox_core::journal;
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::smartbox::{Smartbox, State};
use smartbox_core::store::{self, StoreError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::activity::Counting;
use crate::admission::Ledger;
use crate::doors::Places;
use crate::error::ControlError;
use crate::exec::Waiting;
use crate::issues::Open;
use crate::jobs::Jobs;
use crate::keeper::Keeper;
use crate::messages::deliver::Deliveries;
use crate::messages::live::Live;
use crate::parts::{Actor, EngineSlot, Parts};
use crate::routes::Routes;
use crate::snapshots::Archiving;
use crate::trail::Trail;

/// For how long boxes that are to stop are waited for: the longest turn, and what comes after.
const LONGEST_STOP: Duration = Duration::from_mins(7);
const MODEL_KEY: &str = "SMARTBOX_MODEL_TOKEN_KEY";

/// All of the engine room. One per process; the store's fence sees to one per data directory.
pub struct Control {
    pub(crate) parts: Parts,
    /// Accounts whose boxes are to stand still: disabled ones, and those on their way out.
    idle: Mutex<HashSet<AccountId>>,
    /// What sandboxes count for of the machine's memory.
    pub(crate) ledger: Ledger,
    /// One keeper per box.
    pub(crate) keepers: Mutex<HashMap<SmartboxId, Arc<Keeper>>>,
    /// Boxes by host label, as long as no record changed.
    pub(crate) routes: Routes,
    /// Turns that someone may be watching.
    pub(crate) live: Live,
    /// Boxes whose messages are being delivered.
    pub(crate) deliveries: Deliveries,
    /// Jobs, besides their rows.
    pub(crate) jobs: Jobs,
    /// What commands that wait for their turn were given.
    pub(crate) given: Waiting,
    /// Admits boots.
    pub(crate) boots: Semaphore,
    /// Admits connections to the AI gateway.
    pub(crate) model_places: Places,
    /// Admits connections to the broker.
    pub(crate) proxy_places: Places,
    /// Cancelled when the platform goes down: keepers and deliveries end, sandboxes stay.
    pub(crate) draining: CancellationToken,
    /// Cancelled when another control plane has taken over.
    pub(crate) fenced: CancellationToken,
    /// Set while every box is being stopped with the platform.
    pub(crate) closing: std::sync::atomic::AtomicBool,
    pub(crate) tasks: TaskTracker,
    pub(crate) issues: Open,
    /// Whose turn it is with the snapshots of each box.
    pub(crate) archiving: Archiving,
    /// Derives the per-box tokens for the AI gateway.
    model_key: Secret<String>,
}

impl Control {
    /// Opens the engine room: adopts the sandboxes that are there, removes those of no box, and goes on
    /// with every wish, message and job that an earlier process left.
    pub async fn open(mut parts: Parts) -> Result<Arc<Self>, ControlError> {
        let model_key = model_key(&parts).await?;
        let jobs = Jobs::new(parts.settings.jobs, std::mem::take(&mut parts.works));
        let boots = Semaphore::new(parts.settings.boots.max(1));
        let doors = parts.settings.doors;
        let control = Arc::new(Self {
            parts,
            idle: Mutex::default(),
            ledger: Ledger::default(),
            keepers: Mutex::default(),
            routes: Routes::default(),
            live: Live::default(),
            deliveries: Deliveries::default(),
            jobs,
            given: Waiting::default(),
            boots,
            model_places: Places::new(doors.models),
            proxy_places: Places::new(doors.proxy),
            draining: CancellationToken::new(),
            fenced: CancellationToken::new(),
            closing: false.into(),
            tasks: TaskTracker::new(),
            issues: Open::default(),
            archiving: Archiving::default(),
            model_key,
        });
        let (accounts, rows) = store::read(&*control.parts.store, |tx| {
            Box::pin(async move { Ok((tx.accounts().list().await?, tx.boxes().list(None).await?)) })
        })
        .await?;
        let idle = accounts.into_iter().filter(|account| !account.active());
        control.idle_accounts().extend(idle.map(|account| account.id));
        control.recall_issues().await?;
        let left = control.recall_scratch().await?;
        control.remove_orphans(&rows).await?;
        for row in rows {
            control.keep(&row);
        }
        control.deliver_left_over().await?;
        control.take_up_jobs().await?;
        control.tasks.spawn(control.clone().sweep_jobs());
        control.tasks.spawn(control.clone().keep_account());
        control.watch_issues();
        control.tasks.spawn(control.clone().clear_left_over(left));
        control.tasks.spawn(control.clone().watch_snapshots());
        Ok(control)
    }

    /// What edge and AI gateway tell their activity to.
    pub fn activity(&self) -> Arc<dyn Activity> {
        Arc::new(Counting(self.parts.activity.clone()))
    }

    /// The account with this name, made if it is not there.
    pub async fn ensure_account(&self, name: &str) -> Result<Account, ControlError> {
        let id = AccountId::generate(&*self.parts.entropy);
        let account = Account::new(id, name.to_owned(), self.parts.clock.now());
        Ok(store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                if let Some(found) = tx.accounts().named(account.name.clone()).await? {
                    return Ok(found);
                }
                tx.accounts().add(account.clone()).await?;
                Ok(account)
            })
        })
        .await?)
    }

    /// Resolves once another control plane has taken over this data directory: the process must end.
    pub async fn fenced(&self) {
        self.fenced.cancelled().await;
    }

    /// Stops acting. Sandboxes stay as they are, for the next process to adopt.
    pub async fn drain(&self) {
        self.draining.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Stops every box by the engine's suspend contract, without changing what is wished of it. Those that
    /// do not stop within seven minutes (a turn may take most of that) go on: [`ControlError::Late`].
    pub async fn stop_all(&self) -> Result<(), ControlError> {
        self.closing.store(true, std::sync::atomic::Ordering::SeqCst);
        let keepers: Vec<_> = self.keepers().values().cloned().collect();
        for keeper in &keepers {
            keeper.nudge();
        }
        let all = async {
            for keeper in &keepers {
                keeper.at_rest().await;
            }
        };
        let late = |_| ControlError::Late { state: State::Running };
        tokio::time::timeout(LONGEST_STOP, all).await.map_err(late)
    }

    pub(crate) fn idle_accounts(&self) -> MutexGuard<'_, HashSet<AccountId>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keepers(&self) -> MutexGuard<'_, HashMap<SmartboxId, Arc<Keeper>>> {
        self.keepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keeper(&self, id: &SmartboxId) -> Option<Arc<Keeper>> {
        self.keepers().get(id).cloned()
    }

    /// Begins to keep a box.
    pub(crate) fn keep(self: &Arc<Self>, row: &Smartbox) {
        let keeper = Keeper::new(row, self.parts.activity.bell(&row.id));
        self.keepers().insert(row.id.clone(), keeper.clone());
        let control = self.clone();
        self.tasks.spawn(async move { keeper.run(control).await });
    }

    /// The engine that a box runs.
    pub(crate) fn engine(&self, name: &str) -> Result<&EngineSlot, ControlError> {
        self.parts.engines.iter().find(|slot| slot.engine.manifest().name == name).ok_or_else(
            || ControlError::Refused {
                why: format!("there is no engine `{name}`"),
                hint: "choose one that `smartbox doctor` lists".into(),
            },
        )
    }

    /// The token that this box's model calls carry.
    pub(crate) fn model_token(&self, id: &SmartboxId) -> Secret<String> {
        let mut hash = Sha256::new();
        hash.update(self.model_key.expose());
        hash.update([0]);
        hash.update(id.as_str());
        Secret::new(format!("sbm_{}", hex::encode(&hash.finalize()[..20])))
    }

    /// Reads the row, lets `edit` change it, writes it back together with the act, and tells the keeper.
    pub(crate) async fn change(
        &self,
        id: &SmartboxId,
        act: Option<(&Actor, &str, String)>,
        edit: impl FnOnce(&mut Smartbox) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<Smartbox, ControlError> {
        self.commit(id, act, |row| edit(row).map(|()| Ok(()))).await
    }

    /// [`Control::change`] by a person, of a row that is still at this revision.
    pub(crate) async fn change_at(
        &self,
        id: &SmartboxId,
        act: (&Actor, &str, String),
        revision: Option<u64>,
        edit: impl FnOnce(&mut Smartbox) -> Result<(), ControlError> + Send + 'static,
    ) -> Result<Smartbox, ControlError> {
        let edit = move |row: &mut Smartbox| {
            if revision.is_some_and(|revision| revision != row.revision) {
                return Ok(Err(ControlError::Stale { revision: row.revision }));
            }
            Ok(edit(row))
        };
        self.commit(id, Some(act), edit).await
    }

    /// What `edit` refuses is not recorded as an act.
    async fn commit(
        &self,
        id: &SmartboxId,
        act: Option<(&Actor, &str, String)>,
        edit: impl FnOnce(&mut Smartbox) -> Result<Result<(), ControlError>, StoreError>
        + Send
        + 'static,
    ) -> Result<Smartbox, ControlError> {
        let now = self.parts.clock.now();
        let wished = act.is_some();
        let act = act.map(|(actor, action, detail)| (actor.0.clone(), action.to_owned(), detail));
        let wanted = id.clone();
        let row = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let mut row = tx
                    .boxes()
                    .get(wanted)
                    .await?
                    .ok_or(StoreError::Missing { what: "smartbox" })?;
                let before = row.clone();
                if let Err(refused) = edit(&mut row)? {
                    return Ok(Err(refused));
                }
                if row.state != before.state {
                    row.vitals.since = Some(now);
                }
                if row.decided_otherwise(&before) {
                    row.revision += 1;
                }
                if row != before {
                    tx.boxes().put(row.clone()).await?;
                }
                let asked = act.as_ref().map(|(actor, action, _)| (&**actor, &**action));
                tx.journal().note(journal::between(&before, &row, asked, now)).await?;
                if let Some((actor, action, detail)) = act {
                    let smartbox = Some(row.id.clone());
                    tx.audit()
                        .append(Act {
                            account: row.account.clone(),
                            actor,
                            action,
                            smartbox,
                            detail,
                            at: now,
                        })
                        .await?;
                }
                Ok(Ok(row))
            })
        })
        .await
        .inspect_err(|error| self.heed(error))??;
        if let Some(keeper) = self.keeper(id) {
            if wished {
                keeper.because(Trail::here());
                keeper.unsettle();
            }
            keeper.nudge();
        }
        Ok(row)
    }

    /// The row of a box.
    pub(crate) async fn row(&self, id: &SmartboxId) -> Result<Option<Smartbox>, StoreError> {
        let id = id.clone();
        store::read(&*self.parts.store, |tx| Box::pin(async move { tx.boxes().get(id).await }))
            .await
    }

    /// Ends everything if the store says that another process owns the records now.
    pub(crate) fn heed(&self, error: &StoreError) {
        if matches!(error, StoreError::Fenced) {
            tracing::error!(
                "another control plane has taken over this data directory; this one stops acting"
            );
            self.fenced.cancel();
            self.draining.cancel();
        }
    }

    async fn remove_orphans(&self, rows: &[Smartbox]) -> Result<(), ControlError> {
        for seen in self.parts.runtime.list().await? {
            if !rows.iter().any(|row| row.id == seen.id) {
                tracing::warn!(smartbox = %seen.id, "removing a sandbox that belongs to no smartbox");
                self.parts.runtime.shift(seen.id, smartbox_core::sandbox::Shift::Remove).await?;
            }
        }
        Ok(())
    }
}

async fn model_key(parts: &Parts) -> Result<Secret<String>, ControlError> {
    let fresh = Secret::new(random_text(&*parts.entropy, 52));
    Ok(store::write(&*parts.store, move |tx| {
        Box::pin(async move {
            if let Some(key) = tx.secrets().open(Scope::Platform, MODEL_KEY.into()).await? {
                return Ok(key);
            }
            tx.secrets().set(Scope::Platform, MODEL_KEY.into(), fresh.clone()).await?;
            Ok(fresh)
        })
    })
    .await?)
}
