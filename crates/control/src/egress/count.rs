//! Counting what leaves, in memory first: a connection must not wait for the disk. Written every few
//! seconds and when the platform ends; a crash loses the last seconds of the account, and nothing else.
//! What is worth an alarm is watched on the way.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smartbox_core::egress::alarm::Watched;
use smartbox_core::egress::port::{Happening, Passage, Witness};
use smartbox_core::egress::{Refusal, Spent, Use, day};
use smartbox_core::id::SmartboxId;
use smartbox_core::store::{self, StoreError};
use smartbox_core::time::Timestamp;

use super::book::Book;

/// How often it is written.
pub(super) const EVERY: Duration = Duration::from_secs(2);
/// Hosts of one box and day that are told apart; what comes beyond is counted together.
pub(super) const HOSTS: u32 = 1_000;
/// Days that are kept.
pub(super) const DAYS: u64 = 30;
/// What stands for the hosts beyond.
const OTHERS: &str = "(others)";

type Key = (SmartboxId, Timestamp, String, u16);

/// What was not written yet, and how many hosts each box was seen with today.
#[derive(Default)]
pub(super) struct Counts(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    uses: HashMap<Key, Use>,
    hosts: HashMap<SmartboxId, (Timestamp, HashSet<String>)>,
    watched: HashMap<SmartboxId, Watching>,
}

/// What is watched of a box.
#[derive(Default)]
pub(super) struct Watching {
    pub(super) lately: Watched,
    /// It used up its bytes of the day, and nobody was told.
    pub(super) used_up: bool,
}

impl Counts {
    /// Forgets what is known of a box: it is removed.
    pub(super) fn forget(&self, id: &SmartboxId) {
        let mut waiting = self.lock();
        waiting.hosts.remove(id);
        waiting.watched.remove(id);
    }

    /// Looks at what is watched of each box; one that was calm is not watched any more.
    pub(super) fn look<T>(
        &self,
        now: Timestamp,
        mut at: impl FnMut(&SmartboxId, &mut Watching) -> Option<T>,
    ) -> Vec<T> {
        let mut waiting = self.lock();
        let seen = waiting.watched.iter_mut().filter_map(|(id, box_)| at(id, box_)).collect();
        waiting.watched.retain(|_, box_| box_.used_up || !box_.lately.is_calm(now));
        seen
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Book {
    fn note(&self, passage: Passage) {
        let Passage { smartbox, host, port, by, what } = passage;
        let now = self.clock.now();
        let today = day(now);
        let mut waiting = self.counts.lock();
        waiting.watched.entry(smartbox.clone()).or_default().note(&host, &what, now);
        let (since, hosts) =
            waiting.hosts.entry(smartbox.clone()).or_insert_with(|| (today, HashSet::new()));
        if *since != today {
            (*since, *hosts) = (today, HashSet::new());
        }
        let (host, port) = if hosts.contains(&host) {
            (host, port)
        } else if hosts.len() < HOSTS as usize {
            hosts.insert(host.clone());
            (host, port)
        } else {
            (OTHERS.to_owned(), 0)
        };
        let key = (smartbox.clone(), today, host.clone(), port);
        let one = waiting.uses.entry(key).or_insert_with(|| Use {
            smartbox,
            day: today,
            host,
            port,
            opened: 0,
            up: 0,
            down: 0,
            refused: 0,
            why: None,
            secrets: Vec::new(),
            by: None,
            last: now,
        });
        one.last = now;
        one.by = by.or_else(|| one.by.take());
        match what {
            Happening::Opened => one.opened += 1,
            Happening::Moved { up, down } => {
                one.up = one.up.saturating_add(up);
                one.down = one.down.saturating_add(down);
            }
            Happening::Secret(name) => one.sent(&name),
            Happening::Refused(why) => {
                one.refused += 1;
                one.why = Some(why);
            }
        }
    }
}

impl Watching {
    fn note(&mut self, host: &str, what: &Happening, now: Timestamp) {
        match what {
            Happening::Opened | Happening::Secret(_) => {}
            Happening::Moved { up, .. } => self.lately.sent(*up, now),
            Happening::Refused(Refusal::Volume) => self.used_up = true,
            // Whoever may go there is no stranger.
            Happening::Refused(Refusal::Limit | Refusal::Rate | Refusal::Unreachable) => {}
            Happening::Refused(_) => self.lately.refused(host, now),
        }
    }
}

impl Book {
    /// What the account says that a box used up today.
    pub(super) async fn read_spent(&self, id: &SmartboxId) -> Result<Spent, StoreError> {
        self.write().await?;
        let now = self.clock.now();
        let known = self.uses(id, now).await?;
        let today = day(now);
        // So that the same hosts are told apart as before, and no more of them.
        let hosts = known.iter().filter(|one| one.day == today && one.host != OTHERS);
        let hosts = hosts.map(|one| one.host.clone()).take(HOSTS as usize).collect();
        self.counts.lock().hosts.entry(id.clone()).or_insert((today, hosts));
        Ok(Spent::recall(known.iter().map(|one| (one.day, one.up, one.down)), now))
    }

    /// What a box did since that day.
    pub(super) async fn uses(
        &self,
        id: &SmartboxId,
        since: Timestamp,
    ) -> Result<Vec<Use>, StoreError> {
        let id = id.clone();
        store::read(&*self.store, move |tx| {
            Box::pin(async move { tx.egress_uses().list(id, since, u32::MAX).await })
        })
        .await
    }

    /// Writes what was counted since the last time. What cannot be written is kept for the next.
    pub async fn write(&self) -> Result<(), StoreError> {
        let uses: Vec<Use> = {
            let mut waiting = self.counts.lock();
            std::mem::take(&mut waiting.uses).into_values().collect()
        };
        if uses.is_empty() {
            return Ok(());
        }
        let kept = uses.clone();
        let written = store::write(&*self.store, move |tx| {
            Box::pin(async move { tx.egress_uses().add(uses).await })
        })
        .await;
        if written.is_err() {
            let mut waiting = self.counts.lock();
            for one in kept {
                let key = (one.smartbox.clone(), one.day, one.host.clone(), one.port);
                let add = one.clone();
                waiting.uses.entry(key).and_modify(|known| known.add(&add)).or_insert(one);
            }
        }
        written
    }

    /// Removes what is old.
    pub(super) async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let before = Timestamp(day(now).0 - i64::try_from(DAYS * 86_400_000).unwrap_or(i64::MAX));
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                tx.egress_uses().sweep(before, HOSTS + 1).await?;
                tx.secrets().sweep_releases(before).await?;
                tx.egress_rules().sweep(now).await
            })
        })
        .await
        .map(drop)
    }
}
