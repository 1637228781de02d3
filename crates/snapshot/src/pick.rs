//! Which files are copied into scratch: databases with something in a log, and what changed lately and so
//! may change again before it has been read.

use std::collections::{HashMap, HashSet};

use crate::listing::Listing;
use crate::reader::wire::{Copied, Kind, Looks, Name, Time};
use crate::seen::Database;
use crate::unit::Unit;

/// What changed within so many seconds may well change again.
const LATELY: i64 = 120;

/// Larger ones are copied only if they did change while they were read.
const LARGE: u64 = 256 << 20;

/// More files are not copied for having changed lately: that they are many is the first thing known of them.
const MANY: usize = 20_000;

/// What makes a file one that is copied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hot<'a> {
    /// It changed at this time or later.
    pub(crate) from: Time,
    /// It is not larger.
    pub(crate) most: u64,
    /// Or it is one of these inodes, whatever it is called by now.
    pub(crate) marked: &'a HashSet<u64>,
    /// There will be no further try: as many as there are, and a home that is small enough whole.
    pub(crate) last: bool,
}

impl<'a> Hot<'a> {
    /// Of a home in which nothing runs.
    pub(crate) fn none(marked: &'a HashSet<u64>, last: bool) -> Self {
        Self { from: Time(i64::MAX, 0), most: LARGE, marked, last }
    }

    /// Of one that runs, given that what is older than `since` is archived already. The last time of all
    /// it is everything else.
    pub(crate) fn lately(now: Time, since: Time, marked: &'a HashSet<u64>, last: bool) -> Self {
        let recent = Time(now.0 - LATELY, 0);
        let from = if last { since } else { since.max(recent) };
        Self { from, most: if last { u64::MAX } else { LARGE }, marked, last }
    }

    fn late(&self, stat: &Looks) -> bool {
        stat.ctime >= self.from && stat.size <= self.most
    }
}

/// Copies that there are, by the path of what was copied.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    names: HashMap<Name, String>,
    /// What was copied before the box was held, and could not change since without looking so.
    early: HashMap<Name, Copied>,
}

/// A file to copy.
#[derive(Debug)]
pub(crate) struct Pick {
    pub(crate) index: usize,
    pub(crate) path: Name,
    pub(crate) copy: String,
}

impl Copies {
    /// The name of the copy of a path.
    pub(crate) fn name(&mut self, path: &Name) -> String {
        let next = self.names.len();
        self.names.entry(path.clone()).or_insert_with(|| format!("c{next}")).clone()
    }

    pub(crate) fn early(&mut self, path: Name, copied: Copied) {
        if copied.settled {
            self.early.insert(path, copied);
        }
    }

    /// Whether a file has been copied as it is now.
    pub(crate) fn has(&self, listing: &Listing, pick: &Pick) -> bool {
        let thing = listing.things.get(pick.index);
        let early = self.early.get(&pick.path);
        thing.zip(early).is_some_and(|(thing, early)| thing.stat == early.stat)
    }

    /// What is to be copied. `online`: databases are copied another way.
    pub(crate) fn choose(
        &mut self,
        listing: &Listing,
        units: &[Unit],
        known: &HashMap<Name, Database>,
        hot: Hot<'_>,
        online: bool,
    ) -> Vec<Pick> {
        let mut picks = Vec::new();
        let mut done = HashSet::new();
        for unit in units {
            let settled = is_kept(unit, known);
            if settled || (online && !is_plain(unit, known)) {
                done.insert(unit.main);
                done.extend(unit.logs.iter().map(|(log, _)| *log));
            } else if !unit.logs.is_empty() && !is_plain(unit, known) {
                let copy = self.name(&unit.path);
                done.insert(unit.main);
                picks.push(Pick { index: unit.main, path: unit.path.clone(), copy: copy.clone() });
                for (log, part) in &unit.logs {
                    done.insert(*log);
                    let path = [unit.path.as_slice(), part.as_bytes()].concat();
                    picks.push(Pick { index: *log, path, copy: format!("{copy}{part}") });
                }
            }
            done.extend(&unit.idle);
        }
        let bytes: u64 = listing.things.iter().map(|thing| thing.stat.size).sum();
        let whole = hot.last && bytes <= LARGE;
        let mut left = if hot.last { usize::MAX } else { MANY };
        for (index, thing) in listing.things.iter().enumerate() {
            if thing.kind != Kind::File || done.contains(&index) {
                continue;
            }
            if whole
                || (left > 0 && hot.late(&thing.stat))
                || hot.marked.contains(&thing.stat.inode)
            {
                left = left.saturating_sub(1);
                let path = listing.path(index);
                let copy = self.name(&path);
                picks.push(Pick { index, path, copy });
            }
        }
        picks
    }
}

/// Whether a database is archived already as one file, and has not changed since.
pub(crate) fn is_kept(unit: &Unit, known: &HashMap<Name, Database>) -> bool {
    known.get(&unit.path).is_some_and(|old| old.digest == unit.digest && old.rested.is_some())
}

/// Whether its files are archived as they are: they were, and have not changed since.
pub(crate) fn is_plain(unit: &Unit, known: &HashMap<Name, Database>) -> bool {
    known.get(&unit.path).is_some_and(|old| old.digest == unit.digest && old.rested.is_none())
}
