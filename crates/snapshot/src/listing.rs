//! What is in a home, as its reader told it: nothing is taken in that could not be so.

use std::collections::{BTreeMap, HashMap};
use std::io;

use sha2::{Digest, Sha256};

use crate::reader::wire::{End, Found, Kind, Looks, Name, Time};

/// More things than these are no home that we keep: each takes memory here.
const MOST: usize = 1_000_000;

/// Nor are more bytes of names and of targets.
const NAMES: usize = 96 << 20;

/// The longest name, and the longest target, that the kernel has.
const NAME: usize = 255;
const TARGET: usize = 4096;

/// In the home itself.
const TOP: u32 = u32::MAX;

/// What a walk came to.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) listing: Listing,
    pub(crate) end: End,
}

/// Something in a home.
#[derive(Debug, Clone)]
pub(crate) struct Thing {
    parent: u32,
    pub(crate) name: Box<[u8]>,
    pub(crate) kind: Kind,
    pub(crate) stat: Looks,
    /// Whether it begins like a database.
    pub(crate) database: bool,
}

/// All of them: directories before what is in them, names in the order of their bytes.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) things: Vec<Thing>,
    /// The last thing on each level down to the last one.
    way: Vec<u32>,
    bytes: usize,
}

impl Listing {
    /// Takes in the next thing, if it can be the next one.
    pub(crate) fn push(&mut self, found: Found) -> Result<(), io::Error> {
        let bad = |what| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        let depth = usize::from(found.depth);
        let target = if let Kind::Link(target) = &found.kind { target.as_slice() } else { b"" };
        if !name(&found.name) || target.len() > TARGET || target.contains(&0) {
            return bad("the reader told of a name that none can have");
        }
        if depth > self.way.len() {
            return bad("the reader told of something in no directory");
        }
        let at = |level: usize| self.way.get(level).and_then(|n| self.things.get(*n as usize));
        let parent = depth.checked_sub(1).and_then(|level| self.way.get(level)).copied();
        if depth > 0 && at(depth - 1).is_none_or(|parent| parent.kind != Kind::Directory) {
            return bad("the reader told of something in no directory");
        }
        if at(depth).is_some_and(|before| *before.name >= *found.name) {
            return bad("the reader told of things out of their order");
        }
        self.bytes += found.name.len() + target.len();
        if self.things.len() >= MOST || self.bytes > NAMES {
            return bad("there are too many files in the home");
        }
        self.way.truncate(depth);
        self.way.push(u32::try_from(self.things.len()).unwrap_or(TOP));
        let Found { name, kind, stat, database, .. } = found;
        let parent = parent.unwrap_or(TOP);
        self.things.push(Thing { parent, name: name.into(), kind, stat, database });
        Ok(())
    }

    /// The path of one, relative to the home.
    pub(crate) fn path(&self, index: usize) -> Name {
        let mut names = Vec::new();
        let mut at = self.things.get(index);
        while let Some(thing) = at {
            names.push(&*thing.name);
            at = self.things.get(thing.parent as usize);
        }
        names.reverse();
        names.join(&b'/')
    }

    /// What is in each directory, and in the home itself, by name.
    pub(crate) fn below(&self) -> HashMap<Option<usize>, BTreeMap<&[u8], usize>> {
        let mut below: HashMap<_, BTreeMap<&[u8], usize>> = HashMap::new();
        for (index, thing) in self.things.iter().enumerate() {
            let parent = (thing.parent != TOP).then_some(thing.parent as usize);
            below.entry(parent).or_default().insert(&thing.name, index);
        }
        below
    }

    /// The latest date that something in it has, but for those of a clock that was ahead.
    pub(crate) fn latest(&self, now: Time) -> Time {
        let dates = self.things.iter().map(|thing| thing.stat.ctime);
        dates.filter(|date| date.0 <= now.0 + 1).max().unwrap_or_default()
    }

    /// What lies beside databases and has the name of one of their files, by the directory and the name.
    pub(crate) fn beside(&self) -> HashMap<(u32, &[u8]), usize> {
        let things = self.things.iter().enumerate();
        things
            .filter(|(_, thing)| {
                thing.kind == Kind::File && PARTS.iter().any(|part| thing.name.ends_with(part))
            })
            .map(|(index, thing)| ((thing.parent, &*thing.name), index))
            .collect()
    }

    /// Where to look for a file beside one.
    pub(crate) fn sibling(&self, index: usize, part: &str) -> Option<(u32, Vec<u8>)> {
        let thing = self.things.get(index)?;
        Some((thing.parent, [&*thing.name, part.as_bytes()].concat()))
    }

    /// What tells this state of the home from any other. Those in `without`, in their order, do not count. When a
    /// directory changed does not either: what is in it does.
    pub(crate) fn digest(&self, without: &[usize]) -> String {
        let mut hash = Sha256::new();
        for (index, thing) in self.things.iter().enumerate() {
            if without.binary_search(&index).is_ok() {
                continue;
            }
            // Its number among those that count.
            let parent = thing.parent as usize;
            let before = match thing.parent {
                TOP => 0,
                _ => without.partition_point(|index| *index < parent),
            };
            hash.update(parent.saturating_sub(before).to_le_bytes());
            hash.update([u8::try_from(thing.name.len()).unwrap_or(0)]);
            hash.update(&thing.name);
            match &thing.kind {
                Kind::Directory => {
                    hash.update(b"d");
                    hash.update(thing.stat.mode.to_le_bytes());
                }
                Kind::File => {
                    hash.update(b"f");
                    update(&mut hash, &thing.stat);
                }
                Kind::Link(target) => {
                    hash.update(b"l");
                    hash.update(u32::try_from(target.len()).unwrap_or(0).to_le_bytes());
                    hash.update(target);
                }
            }
        }
        hex(&hash.finalize())
    }
}

/// The files that a database may have beside it.
const PARTS: [&[u8]; 3] = [b"-wal", b"-journal", b"-shm"];

/// Adds what tells a state of a file from any other.
pub(crate) fn update(hash: &mut Sha256, stat: &Looks) {
    hash.update(stat.mode.to_le_bytes());
    hash.update(stat.uid.to_le_bytes());
    hash.update(stat.size.to_le_bytes());
    hash.update(stat.inode.to_le_bytes());
    for Time(seconds, nanoseconds) in [stat.mtime, stat.ctime] {
        hash.update(seconds.to_le_bytes());
        hash.update(nanoseconds.to_le_bytes());
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether something can have such a name.
fn name(name: &[u8]) -> bool {
    let length = (1..=NAME).contains(&name.len());
    length && !matches!(name, b"." | b"..") && !name.iter().any(|byte| matches!(byte, b'/' | 0))
}

#[cfg(test)]
mod tests;
