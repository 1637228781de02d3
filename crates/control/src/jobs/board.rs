//! Whose turn it is: accounts one after another, each account's jobs in their order, no more at a
//! time than the platform and the box can take.

use std::collections::{HashMap, HashSet, VecDeque};

use smartbox_core::exec;
use smartbox_core::id::{AccountId, JobId, SmartboxId};
use smartbox_core::job::Job;
use tokio_util::sync::CancellationToken;

use super::Limits;

/// A job that waits, as far as its turn depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) id: JobId,
    account: AccountId,
    smartbox: Option<SmartboxId>,
    /// Its time is a command's in a box, a day's even. It takes no place from other jobs.
    long: bool,
}

/// Commands that run at the same time on this platform, and in one box, as jobs.
const LONG_AT_ONCE: usize = 256;
const LONG_PER_BOX: usize = 16;

impl Ticket {
    pub(super) fn of(job: &Job) -> Self {
        Self {
            id: job.id.clone(),
            account: job.account.clone(),
            smartbox: job.smartbox.clone(),
            long: job.kind == exec::KIND,
        }
    }
}

/// How a run is told to stop.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop {
    /// Soon: to pause or for good.
    pub(super) soon: CancellationToken,
    /// For good.
    pub(super) for_good: CancellationToken,
}

struct Slot {
    ticket: Ticket,
    stop: Stop,
    /// It was put on the board again while this run had it.
    again: bool,
}

/// Whether there is room for another.
#[derive(Clone, Copy)]
struct Room {
    long: bool,
    short: bool,
}

/// Who waits and who runs.
pub(super) struct Board {
    limits: Limits,
    /// Accounts with something that waits, the next one first.
    ring: VecDeque<AccountId>,
    queues: HashMap<AccountId, VecDeque<Ticket>>,
    waiting: HashSet<JobId>,
    running: HashMap<JobId, Slot>,
}

impl Board {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            ring: VecDeque::new(),
            queues: HashMap::new(),
            waiting: HashSet::new(),
            running: HashMap::new(),
        }
    }

    /// A job waits for its turn. One that waits already does not wait twice; one that is still
    /// being run has another turn afterwards.
    pub(super) fn queue(&mut self, ticket: Ticket) {
        if let Some(slot) = self.running.get_mut(&ticket.id) {
            slot.again = true;
        } else if self.waiting.insert(ticket.id.clone()) {
            let queue = self.queues.entry(ticket.account.clone()).or_default();
            if queue.is_empty() {
                self.ring.push_back(ticket.account.clone());
            }
            queue.push_back(ticket);
        }
    }

    /// The next job to run, if one may. It counts as running from here on.
    pub(super) fn next(&mut self) -> Option<(Ticket, Stop)> {
        let long = self.running.values().filter(|slot| slot.ticket.long).count();
        let room = Room {
            long: long < LONG_AT_ONCE,
            short: self.running.len() - long < self.limits.at_once.max(1),
        };
        if !room.long && !room.short {
            return None;
        }
        for _ in 0..self.ring.len() {
            let account = self.ring.pop_front()?;
            let ticket = self.first_free(&account, room);
            if self.queues.get(&account).is_some_and(VecDeque::is_empty) {
                self.queues.remove(&account);
            } else {
                self.ring.push_back(account);
            }
            if let Some(ticket) = ticket {
                self.waiting.remove(&ticket.id);
                let stop = Stop::default();
                let slot = Slot { ticket: ticket.clone(), stop: stop.clone(), again: false };
                self.running.insert(ticket.id.clone(), slot);
                return Some((ticket, stop));
            }
        }
        None
    }

    /// A run is over.
    pub(super) fn done(&mut self, id: &JobId) {
        if let Some(slot) = self.running.remove(id).filter(|slot| slot.again) {
            self.queue(slot.ticket);
        }
    }

    /// Tells a run to stop, if there is one.
    pub(super) fn stop(&self, id: &JobId, for_good: bool) {
        if let Some(slot) = self.running.get(id) {
            if for_good {
                slot.stop.for_good.cancel();
            }
            slot.stop.soon.cancel();
        }
    }

    /// How many jobs wait, and how many run.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.waiting.len(), self.running.len())
    }

    /// How many jobs of an account wait.
    pub(super) fn waiting(&self, account: &AccountId) -> usize {
        self.queues.get(account).map_or(0, VecDeque::len)
    }

    /// An account's first job for which there is room, and whose box is not at its limit.
    fn first_free(&mut self, account: &AccountId, room: Room) -> Option<Ticket> {
        let mut busy: HashMap<(&SmartboxId, bool), usize> = HashMap::new();
        for slot in self.running.values() {
            if let Some(id) = &slot.ticket.smartbox {
                *busy.entry((id, slot.ticket.long)).or_default() += 1;
            }
        }
        let short = self.limits.per_box.max(1);
        let free = |ticket: &Ticket| {
            let (room, most) =
                if ticket.long { (room.long, LONG_PER_BOX) } else { (room.short, short) };
            let of_box = |id| busy.get(&(id, ticket.long)).is_none_or(|n| *n < most);
            room && ticket.smartbox.as_ref().is_none_or(of_box)
        };
        let queue = self.queues.get_mut(account)?;
        let at = queue.iter().position(free)?;
        queue.remove(at)
    }
}

#[cfg(test)]
mod tests;
