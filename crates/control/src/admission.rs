//! Whether the machine's memory carries one more sandbox.
//!
//! Each keeper says what its sandbox counts for, as it is seen; a start takes its share before it
//! begins, so that two at once do not both take the last one. In memory only: the keepers look at
//! every sandbox soon after the platform started.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use smartbox_core::host::{Claims, HostMemory, NoRoom, admit};
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::{Observed, Phase};

/// What every sandbox counts for.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    boxes: HashMap<SmartboxId, Claim>,
    /// Their sum, so that a start does not add up all of them.
    sum: Claims,
}

#[derive(Clone, Copy)]
struct Claim {
    bytes: u64,
    awake: bool,
}

impl Entries {
    fn set(&mut self, id: &SmartboxId, claim: Option<Claim>) {
        let before = match claim {
            Some(claim) => self.boxes.insert(id.clone(), claim),
            None => self.boxes.remove(id),
        };
        if let Some(before) = before {
            let count = if before.awake { &mut self.sum.awake } else { &mut self.sum.frozen };
            *count -= 1;
            self.sum.bytes = self.sum.bytes.saturating_sub(before.bytes);
        }
        if let Some(claim) = claim {
            let count = if claim.awake { &mut self.sum.awake } else { &mut self.sum.frozen };
            *count += 1;
            self.sum.bytes = self.sum.bytes.saturating_add(claim.bytes);
        }
    }
}

impl Ledger {
    /// Takes the share of a start, or says why there is none. `host` is none where nobody can tell.
    pub(crate) fn take(
        &self,
        id: &SmartboxId,
        needs: u64,
        host: Option<HostMemory>,
        overcommit: u32,
    ) -> Result<(), NoRoom> {
        let mut entries = self.lock();
        // Its own last sandbox is gone by now.
        entries.set(id, None);
        if let Some(host) = host {
            admit(needs, entries.sum, host, overcommit)?;
        }
        entries.set(id, Some(Claim { bytes: needs, awake: true }));
        Ok(())
    }

    /// Counts a sandbox as it is seen: awake for its tier's `limit`, frozen for what it holds.
    pub(crate) fn seen(&self, seen: &Observed, limit: u64) {
        let claim = match seen.phase {
            Phase::Absent => None,
            Phase::Up => {
                let bytes = if limit == 0 { seen.memory.resident } else { limit };
                Some(Claim { bytes, awake: true })
            }
            Phase::Frozen => Some(Claim { bytes: seen.memory.resident, awake: false }),
        };
        self.lock().set(&seen.id, claim);
    }

    /// What all of them count for.
    pub(crate) fn sum(&self) -> Claims {
        self.lock().sum
    }

    /// There is no sandbox any more.
    pub(crate) fn forget(&self, id: &SmartboxId) {
        self.lock().set(id, None);
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use smartbox_core::sandbox::{EngineProcess, Memory};

    use super::*;

    fn id(n: u32) -> SmartboxId {
        format!("box_{n:020}").parse().unwrap()
    }

    fn seen(n: u32, phase: Phase, resident: u64) -> Observed {
        let memory = Memory { resident, swapped: 0 };
        Observed { id: id(n), phase, fence: 1, engine: EngineProcess::Unknown, memory }
    }

    #[test]
    fn an_awake_box_counts_for_its_tier_and_a_frozen_one_for_what_it_holds() {
        let host = Some(HostMemory { total: 100, available: 50 });
        let ledger = Ledger::default();
        ledger.take(&id(1), 60, host, 100).unwrap();
        let full = ledger.take(&id(2), 60, host, 100).unwrap_err();
        assert_eq!((full.left, full.awake), (40, 1));
        // Asked again for itself, its own share is not in its way.
        ledger.take(&id(1), 60, host, 100).unwrap();
        ledger.seen(&seen(1, Phase::Frozen, 10), 60);
        ledger.seen(&seen(3, Phase::Up, 1), 30);
        ledger.take(&id(2), 60, host, 100).unwrap();
        assert!(ledger.take(&id(4), 1, host, 100).is_err());
        ledger.seen(&seen(2, Phase::Absent, 0), 60);
        ledger.take(&id(4), 60, host, 100).unwrap();
        for n in 1..5 {
            ledger.forget(&id(n));
        }
        assert_eq!(ledger.lock().sum, Claims::default());
        // Where nobody can tell what the machine has, nobody is refused.
        ledger.take(&id(1), u64::MAX, None, 100).unwrap();
        ledger.take(&id(2), u64::MAX, None, 100).unwrap();
    }
}
