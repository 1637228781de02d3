//! Lists a directory in pages, by name. A page costs one look at every name and one at each of its
//! own entries; memory is bounded by the page, however many names the box has made.

use std::collections::BinaryHeap;
use std::os::fd::AsFd;

use rustix::fs::Dir;

use crate::beneath::{self, DIRECTORY};
use crate::entry::Entry;
use crate::path::Beneath;
use crate::{Fault, Home};

/// More names than are looked at.
const NAMES: usize = 1 << 20;

/// A part of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its entries, by name.
    pub entries: Vec<Entry>,
    /// The name after which the next page begins, if there is more.
    pub next: Option<Vec<u8>>,
}

impl Home {
    /// Lists what a directory holds after a name, at most `limit` entries.
    pub fn list(&self, path: &Beneath, after: Option<&[u8]>, limit: usize) -> Result<Page, Fault> {
        let dir = beneath::open(self.fd(), path, DIRECTORY)?;
        // The smallest names after `after`, one more than asked for: the largest lies on top.
        let mut names: BinaryHeap<Vec<u8>> = BinaryHeap::new();
        let mut seen = 0;
        for entry in Dir::read_from(&dir)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            seen += 1;
            if seen > NAMES {
                return Err(Fault::TooMuch);
            }
            let dots = name == b"." || name == b"..";
            if dots || after.is_some_and(|after| name <= after) {
                continue;
            }
            if names.len() <= limit {
                names.push(name.to_vec());
            } else if names.peek().is_some_and(|largest| name < largest.as_slice()) {
                names.pop();
                names.push(name.to_vec());
            }
        }
        let more = names.len() > limit;
        if more {
            names.pop();
        }
        let names = names.into_sorted_vec();
        let next = if more { names.last().cloned() } else { None };
        let look = |name: &Vec<u8>| match Entry::at(dir.as_fd(), name) {
            // Gone since its name was read.
            Err(Fault::Absent) => None,
            other => Some(other),
        };
        Ok(Page { entries: names.iter().filter_map(look).collect::<Result<_, _>>()?, next })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn pages_together_are_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let mut wanted: Vec<Vec<u8>> = (0..25).map(|n| format!("f{n}").into_bytes()).collect();
        wanted.push(b"bad\xffname\n".to_vec());
        for name in &wanted {
            std::fs::write(dir.path().join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
        }
        wanted.sort();
        let home = Home::open(dir.path()).unwrap();
        let root = Beneath::parse(b"").unwrap();
        for limit in [1, 7, 26, 100] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = home.list(&root, after.as_deref(), limit).unwrap();
                assert!(page.entries.len() <= limit);
                found.extend(page.entries.into_iter().map(|entry| entry.name));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, wanted, "{limit}");
        }
        assert_eq!(home.list(&Beneath::parse(b"f1").unwrap(), None, 9), Err(Fault::NotDirectory));
    }
}
