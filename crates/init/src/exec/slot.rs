//! The commands that run now: how many, and how to cancel each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Commands that may run at once.
const MOST: usize = 64;

/// The places for commands.
#[derive(Default)]
pub(crate) struct Slots(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    last: u64,
    cancels: HashMap<u64, oneshot::Sender<()>>,
}

/// One of the places, given back when dropped.
pub(crate) struct Slot {
    slots: Arc<Slots>,
    pub(crate) id: u64,
}

impl Slots {
    /// Takes a place, if there is one, with what fires when its command is cancelled.
    pub(crate) fn take(self: &Arc<Self>) -> Option<(Slot, oneshot::Receiver<()>)> {
        let mut taken = self.lock();
        if taken.cancels.len() >= MOST {
            return None;
        }
        taken.last += 1;
        let id = taken.last;
        let (cancel, cancelled) = oneshot::channel();
        taken.cancels.insert(id, cancel);
        Some((Slot { slots: Arc::clone(self), id }, cancelled))
    }

    /// Commands that run.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.lock().cancels.len()).unwrap_or(u32::MAX)
    }

    /// Cancels a command; one that has ended is none.
    pub(crate) fn cancel(&self, id: u64) {
        let mut taken = self.lock();
        if let Some(cancel) = taken.cancels.get_mut(&id) {
            // The place stays taken until the command is dead.
            let (gone, _) = oneshot::channel();
            let _ = std::mem::replace(cancel, gone).send(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.lock().cancels.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_held_until_its_command_is_dead() {
        let slots = Arc::new(Slots::default());
        let mut held: Vec<_> = (0..MOST).map(|_| slots.take().unwrap()).collect();
        assert!(slots.take().is_none());
        let (slot, mut cancelled) = held.pop().unwrap();
        assert!(cancelled.try_recv().is_err());
        slots.cancel(slot.id);
        slots.cancel(slot.id);
        assert_eq!(cancelled.try_recv(), Ok(()));
        assert!(slots.take().is_none());
        drop(slot);
        assert!(slots.take().is_some());
        slots.cancel(12345);
    }
}
