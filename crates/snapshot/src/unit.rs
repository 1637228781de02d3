//! Databases in a home: a file with what lies beside it that belongs to it. They are one, or nothing.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::listing::{Listing, hex, update};
use crate::reader::wire::{Kind, Looks, Name, Time};
use crate::seen::Database;

/// What has a log's name beside a database.
pub(crate) const LOGS: [&str; 2] = ["-wal", "-journal"];

/// One database.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    /// The file.
    pub(crate) main: usize,
    pub(crate) path: Name,
    /// Its logs that have something in them, and which they are.
    pub(crate) logs: Vec<(usize, &'static str)>,
    /// What is made anew by whoever opens it, and empty logs.
    pub(crate) idle: Vec<usize>,
    /// What tells this state of its files from any other.
    pub(crate) digest: String,
}

impl Unit {
    /// What its one file in an archive is dated: as late as the latest of its files, and with a change
    /// time that no other state of them has, so that it is never taken for another one.
    pub(crate) fn dates(&self, listing: &Listing) -> (Time, Time) {
        let all = std::iter::once(self.main).chain(self.logs.iter().map(|(log, _)| *log));
        let stats = all.filter_map(|index| listing.things.get(index)).map(|thing| thing.stat.mtime);
        let number = u32::from_str_radix(self.digest.get(..8).unwrap_or_default(), 16).unwrap_or(0);
        let more = u32::from_str_radix(self.digest.get(8..16).unwrap_or_default(), 16).unwrap_or(0);
        (stats.max().unwrap_or_default(), Time(-i64::from(number) - 1, more % 1_000_000_000))
    }
}

/// The databases of a home. Of files that did not change since `since`, those are that were.
pub(crate) fn find(listing: &Listing, since: Time, known: &HashMap<Name, Database>) -> Vec<Unit> {
    let beside = listing.beside();
    let last = |path: &Name| path.rsplit(|byte| *byte == b'/').next().map(<[u8]>::to_vec);
    // A path is put together for few of them only.
    let names: HashSet<Name> = known.keys().filter_map(last).collect();
    let mut units = Vec::new();
    for (main, thing) in listing.things.iter().enumerate() {
        let perhaps = thing.stat.ctime < since && names.contains(&*thing.name);
        if thing.kind != Kind::File || !(thing.database || perhaps) {
            continue;
        }
        let path = listing.path(main);
        if !thing.database && !known.contains_key(&path) {
            continue;
        }
        let part = |part: &str| {
            let (parent, name) = listing.sibling(main, part)?;
            beside.get(&(parent, name.as_slice())).copied()
        };
        let mut hash = Sha256::new();
        update(&mut hash, &thing.stat);
        let (mut logs, mut idle) = (Vec::new(), Vec::new());
        for log in LOGS {
            let Some(index) = part(log) else { continue };
            match listing.things.get(index).map(|thing| thing.stat) {
                Some(Looks { size: 0, .. }) | None => idle.push(index),
                Some(stat) => {
                    hash.update(log);
                    update(&mut hash, &stat);
                    logs.push((index, log));
                }
            }
        }
        idle.extend(part("-shm"));
        idle.sort_unstable();
        units.push(Unit { main, path, logs, idle, digest: hex(&hash.finalize()) });
    }
    units
}
