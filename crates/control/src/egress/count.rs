//! Counting what leaves, in memory first: a connection must not wait for the disk. Written every few
//! seconds and when the platform ends; a crash loses the last seconds of the account, and nothing else.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smartbox_core::egress::port::{Happening, Passage, Witness};
use smartbox_core::egress::{Use, day};
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
    hosts: HashMap<SmartboxId, (Timestamp, HashMap<String, ()>)>,
}

impl Counts {
    /// Forgets what is known of a box's hosts: it is removed.
    pub(super) fn forget(&self, id: &SmartboxId) {
        self.lock().hosts.remove(id);
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
        let (since, hosts) =
            waiting.hosts.entry(smartbox.clone()).or_insert_with(|| (today, HashMap::new()));
        if *since != today {
            (*since, *hosts) = (today, HashMap::new());
        }
        let (host, port) = if hosts.contains_key(&host) {
            (host, port)
        } else if hosts.len() < HOSTS as usize {
            hosts.insert(host.clone(), ());
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

impl Book {
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
                tx.egress_rules().sweep(now).await
            })
        })
        .await
        .map(drop)
    }
}
