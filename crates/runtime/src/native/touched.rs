//! What a box touched while it was awake: noted before it is paged out, and asked for at the next thaw,
//! so that a turn need not wait for each page by itself.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::advise::{Advice, Range, advise};
use super::page_out;

/// Pages whose entries are read in one go.
const CHUNK: usize = 64 << 10;
/// A box is not looked through beyond this: what it maps costs it nothing, and us eight bytes a page.
const MOST: usize = 4 << 20;
/// Between two touched pages this many others are asked for too, rather than make a range of each.
const GAP: usize = 8;
/// Bits of an entry of `pagemap` (proc_pid_pagemap(5)).
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;

/// The touched ranges of each process.
#[derive(Debug, Default)]
pub(super) struct Touched(Vec<(i32, Vec<Range>)>);

impl Touched {
    /// Reads what is there of these processes, which must be frozen. `None` if nothing of them had been
    /// paged out before: then what is there says nothing about what is used.
    pub(super) fn read(pids: &[i32]) -> Option<Self> {
        let page = rustix::param::page_size();
        let (mut all, mut left) = (Vec::new(), MOST);
        let mut swapped = false;
        for pid in pids {
            let Ok(map) = File::open(format!("/proc/{pid}/pagemap")) else { continue };
            let mut touched = Pages::default();
            for (start, length) in page_out::ranges(*pid) {
                let (mut at, end) = (start / page, (start + length) / page);
                while at < end && left > 0 {
                    let count = (end - at).min(CHUNK).min(left);
                    let Some(entries) = entries(&map, at, count) else { break };
                    touched.add(at, &entries);
                    (at, left) = (at + count, left - count);
                }
            }
            swapped |= touched.swapped;
            all.push((*pid, touched.ranges(page)));
        }
        swapped.then_some(Self(all))
    }

    /// How much it is, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.0.iter().flat_map(|(_, ranges)| ranges).map(|(_, length)| length).sum()
    }

    /// Has the kernel read it. Returns once it is read, or begun to be.
    pub(super) fn ask(&self) {
        for (pid, ranges) in &self.0 {
            advise(*pid, ranges, Advice::WillNeed);
        }
    }
}

fn entries(map: &File, page: usize, count: usize) -> Option<Vec<u64>> {
    let mut bytes = vec![0; count * 8];
    map.read_exact_at(&mut bytes, u64::try_from(page).ok()?.checked_mul(8)?).ok()?;
    let entry = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_ne_bytes);
    Some(bytes.chunks_exact(8).map(entry).collect())
}

/// What is there of one process.
#[derive(Default)]
struct Pages {
    /// Ranges of page numbers, first and one past the last, in rising order.
    there: Vec<(usize, usize)>,
    /// Whether others are in swap.
    swapped: bool,
}

impl Pages {
    fn add(&mut self, first: usize, entries: &[u64]) {
        self.swapped |= entries.iter().any(|entry| entry & SWAPPED != 0);
        for (page, _) in (first..).zip(entries).filter(|(_, entry)| *entry & PRESENT != 0) {
            match self.there.last_mut() {
                Some((_, end)) if (*end..=*end + GAP).contains(&page) => *end = page + 1,
                _ => self.there.push((page, page + 1)),
            }
        }
    }

    fn ranges(self, page: usize) -> Vec<Range> {
        self.there.into_iter().map(|(first, end)| (first * page, (end - first) * page)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_range_and_strangers_are_not() {
        let mut pages = Pages::default();
        let mut entries = vec![SWAPPED; 40];
        for page in [0, 1, 4, 30] {
            entries[page] = PRESENT;
        }
        pages.add(100, &entries);
        pages.add(140, &[PRESENT]);
        assert!(pages.swapped);
        assert_eq!(pages.there, [(100, 105), (130, 131), (140, 141)]);
        assert_eq!(pages.ranges(4096)[0], (100 * 4096, 5 * 4096));
    }

    #[test]
    fn what_was_never_paged_out_says_nothing() {
        let mut pages = Pages::default();
        pages.add(7, &[PRESENT, 0, PRESENT]);
        assert!(!pages.swapped && !pages.there.is_empty());
        assert!(Touched::read(&[]).is_none());
    }

    #[test]
    fn a_page_that_is_there_is_found() {
        let map = File::open("/proc/self/pagemap").unwrap();
        let here = std::ptr::from_ref(&map).addr() / rustix::param::page_size();
        assert_ne!(entries(&map, here, 1).unwrap()[0] & PRESENT, 0);
    }
}
