//! Whose turn it is with the snapshots of a box.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::record::Record;
use smartbox_core::time::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::control::Control;

/// Snapshots that are taken by themselves at the same time.
const AT_ONCE: usize = 2;
/// How soon everything is read back again because of damage that is still in the way.
const READ_BACK: Duration = Duration::from_hours(1);

/// What is known of all boxes besides the records.
pub(crate) struct Archiving {
    boxes: Mutex<HashMap<SmartboxId, Arc<OfBox>>>,
    /// Boxes that stand still whatever is wished of them: another home is being put in place.
    still: Mutex<HashMap<SmartboxId, usize>>,
    /// Boxes that were made to try a restore.
    scratch: Mutex<HashSet<SmartboxId>>,
    /// Admits those that are taken by themselves, in the order in which they asked.
    pub(super) turns: Arc<Semaphore>,
}

impl Default for Archiving {
    fn default() -> Self {
        Self {
            boxes: Mutex::default(),
            still: Mutex::default(),
            scratch: Mutex::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

/// What is known of one box.
#[derive(Default)]
pub(super) struct OfBox {
    /// Held by who takes, prunes or restores.
    pub(super) turn: Arc<tokio::sync::Mutex<Turn>>,
    /// How many takes have begun.
    pub(super) begun: AtomicU64,
    /// When the home was last seen to be the newest generation's. The records learn of it with the next one.
    pub(super) fresh: Mutex<Option<Timestamp>>,
    /// Since when there may be what no generation has, at the latest look, and its objective then.
    pub(super) seen: Mutex<Option<(Timestamp, Duration)>>,
}

/// What the last turn left.
#[derive(Default)]
pub(super) struct Turn {
    /// The last take that went well: which of those that have begun, and what came of it.
    pub(super) last: Option<(u64, Option<Record>)>,
    /// The digest of what lies beside the repository.
    pub(super) beside: Option<[u8; 32]>,
    /// When everything was read back last since a take found damage.
    read_back: Option<Instant>,
}

impl Turn {
    /// Whether to look for damage now: all of a repository is read for it, which is not done at each try.
    pub(super) fn may_look_for_damage(&mut self) -> bool {
        let now = Instant::now();
        let may = self.read_back.is_none_or(|at| now.duration_since(at) >= READ_BACK);
        if may {
            self.read_back = Some(now);
        }
        may
    }
}

impl Archiving {
    pub(super) fn of(&self, id: &SmartboxId) -> Arc<OfBox> {
        lock(&self.boxes).entry(id.clone()).or_default().clone()
    }

    pub(super) fn forget(&self, id: &SmartboxId) {
        lock(&self.boxes).remove(id);
    }

    pub(super) fn fresh(&self, id: &SmartboxId) -> Option<Timestamp> {
        let of = lock(&self.boxes).get(id).cloned();
        of.and_then(|of| *lock(&of.fresh))
    }

    pub(super) fn is_fresh(&self, id: &SmartboxId, at: Timestamp) {
        *lock(&self.of(id).fresh) = Some(at);
    }

    /// What a look at a box that runs came to.
    pub(super) fn saw(&self, id: &SmartboxId, since: Timestamp, objective: Duration) {
        *lock(&self.of(id).seen) = Some((since, objective));
    }

    /// For how long a box that runs may have had what no generation has, and its objective. Nothing of one
    /// that nobody has looked at yet.
    pub(crate) fn age(&self, id: &SmartboxId, now: Timestamp) -> Option<(Duration, Duration)> {
        let of = lock(&self.boxes).get(id).cloned()?;
        let (since, objective) = (*lock(&of.seen))?;
        let since = lock(&of.fresh).map_or(since, |fresh| fresh.max(since));
        Some((now.since(since), objective))
    }

    /// Whether a box is to stand still, whatever is wished of it.
    pub(crate) fn stands_still(&self, id: &SmartboxId) -> bool {
        lock(&self.still).contains_key(id)
    }

    /// Whether a box was made to try a restore: it keeps nothing and reaches nobody.
    pub(crate) fn is_scratch(&self, id: &SmartboxId) -> bool {
        lock(&self.scratch).contains(id)
    }

    pub(super) fn set_scratch(&self, id: &SmartboxId) {
        lock(&self.scratch).insert(id.clone());
    }

    pub(super) fn no_scratch(&self, id: &SmartboxId) {
        lock(&self.scratch).remove(id);
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has a box stand still for as long as this is held.
pub(super) struct StandStill {
    control: Arc<Control>,
    id: SmartboxId,
}

impl StandStill {
    pub(super) fn begin(control: &Arc<Control>, id: &SmartboxId) -> Self {
        *lock(&control.archiving.still).entry(id.clone()).or_default() += 1;
        let this = Self { control: control.clone(), id: id.clone() };
        this.look_again();
        this
    }

    fn look_again(&self) {
        if let Some(keeper) = self.control.keeper(&self.id) {
            keeper.unsettle();
            keeper.nudge();
        }
    }
}

impl Drop for StandStill {
    fn drop(&mut self) {
        {
            let mut still = lock(&self.control.archiving.still);
            let left = still.get(&self.id).copied().unwrap_or_default().saturating_sub(1);
            if left == 0 {
                still.remove(&self.id);
            } else {
                still.insert(self.id.clone(), left);
            }
        }
        self.look_again();
    }
}
