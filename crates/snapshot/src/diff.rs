//! How something differs from a snapshot. What is the same in both is not looked into.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;

use rustic_core::TreeId;
use rustic_core::repofile::{Node, NodeType};
use smartbox_core::home::FilePath;
use smartbox_core::snapshot::SnapshotId;
use smartbox_core::snapshot::port::{Against, Change, Difference, SnapshotError};

use crate::error::hole;
use crate::looked::Looked;
use crate::reader::wire::Kind;
use crate::session::Reader;
use crate::shown::{self, Shown, deeper, mode};

/// What is different. A home is looked at by a reader, which has no more rights than the box.
pub(crate) fn diff(
    shown: &Shown,
    id: &SnapshotId,
    reader: &Reader,
    against: &Against,
    limit: usize,
) -> Result<Difference, SnapshotError> {
    let mut changes = Changes { limit, found: Difference::default() };
    match against {
        Against::Snapshot(id) => snapshots(shown, id, &mut changes)?,
        Against::Home(place, exclude) => {
            let looked = Looked::new(reader, place, exclude, id)?;
            let home = Home { looked: &looked, below: looked.below() };
            changes.home(shown, Some(shown.root()), &home, Some(None), b"")?;
        }
    }
    Ok(changes.found)
}

fn snapshots(
    shown: &Shown,
    other: &SnapshotId,
    changes: &mut Changes,
) -> Result<(), SnapshotError> {
    let other = shown.other(other)?;
    changes.trees(shown, Some(shown.root()), Some(other), b"")
}

/// What was found, in the order of paths: a directory comes before what is in it, and names in the order
/// of their bytes.
struct Changes {
    limit: usize,
    found: Difference,
}

impl Changes {
    fn add(&mut self, path: &[u8], change: Change) {
        self.found.total += 1;
        if self.found.changes.len() < self.limit {
            self.found.changes.push((FilePath(path.to_vec()), change));
        }
    }

    fn trees(
        &mut self,
        shown: &Shown,
        was: Option<TreeId>,
        is: Option<TreeId>,
        path: &[u8],
    ) -> Result<(), SnapshotError> {
        if was == is {
            return Ok(());
        }
        let (was, is) = (nodes(shown, was)?, nodes(shown, is)?);
        for (name, pair) in pairs(was, is) {
            let path = deeper(path, &name)?;
            match &pair {
                (Some(_), None) => self.add(&path, Change::Removed),
                (None, Some(_)) => self.add(&path, Change::Added),
                (Some(was), Some(is)) => {
                    if let Some(change) = change(was, is) {
                        self.add(&path, change);
                    }
                }
                (None, None) => {}
            }
            let below = |node: &Option<Node>| node.as_ref().and_then(tree);
            self.trees(shown, below(&pair.0), below(&pair.1), &path)?;
        }
        Ok(())
    }

    /// `is` is a directory of the home, none for the home itself; nothing where there is no directory.
    fn home(
        &mut self,
        shown: &Shown,
        was: Option<TreeId>,
        home: &Home<'_>,
        is: Option<Option<usize>>,
        path: &[u8],
    ) -> Result<(), SnapshotError> {
        let was = nodes(shown, was)?;
        let names = is.map(|directory| home.names(directory)).unwrap_or_default();
        for (name, (was, is)) in pairs(was, names) {
            let path = deeper(path, &name)?;
            match (&was, is) {
                (Some(_), None) => self.add(&path, Change::Removed),
                (None, Some(_)) => self.add(&path, Change::Added),
                (Some(was), Some(index)) => {
                    if let Some(change) = home.change(shown, was, index, &path)? {
                        self.add(&path, change);
                    }
                }
                (None, None) => {}
            }
            let tree = was.as_ref().and_then(tree);
            let below = is.filter(|index| home.is_directory(*index)).map(Some);
            if tree.is_some() || below.is_some() {
                self.home(shown, tree, home, below, &path)?;
            }
        }
        Ok(())
    }
}

/// A home as it is, and what is in each of its directories.
struct Home<'a> {
    looked: &'a Looked,
    below: HashMap<Option<usize>, BTreeMap<&'a [u8], usize>>,
}

impl Home<'_> {
    fn names(&self, directory: Option<usize>) -> BTreeMap<Vec<u8>, usize> {
        let names = self.below.get(&directory).into_iter().flatten();
        names.map(|(name, index)| (name.to_vec(), *index)).collect()
    }

    fn is_directory(&self, index: usize) -> bool {
        self.looked.thing(index).is_some_and(|thing| thing.kind == Kind::Directory)
    }

    fn change(
        &self,
        shown: &Shown,
        was: &Node,
        index: usize,
        path: &[u8],
    ) -> Result<Option<Change>, SnapshotError> {
        let Some(is) = self.looked.thing(index) else { return Ok(None) };
        let same = match (&was.node_type, &is.kind) {
            (NodeType::Dir, Kind::Directory) => true,
            (NodeType::File, Kind::File) => match self.looked.same(index) {
                Some(known) => known,
                None => is.stat.size == was.meta.size && self.reads(shown, was, index, path)?,
            },
            (link @ NodeType::Symlink { .. }, Kind::Link(target)) => {
                let same = link.to_link().as_os_str().as_bytes() == target.as_slice();
                return Ok((!same).then_some(Change::Changed));
            }
            _ => false,
        };
        // As a snapshot has them: without set-user, and sticky only on a directory.
        let sticky = if is.kind == Kind::Directory { 0o1000 } else { 0 };
        let bits = is.stat.mode & (0o777 | sticky);
        Ok(match same {
            false => Some(Change::Changed),
            true => (mode(was) != bits).then_some(Change::Mode),
        })
    }

    /// Whether a file reads as it is in the snapshot, up to the first piece that differs.
    fn reads(
        &self,
        shown: &Shown,
        was: &Node,
        index: usize,
        path: &[u8],
    ) -> Result<bool, SnapshotError> {
        // One that went meanwhile is no longer what it was.
        let Some(mut file) = self.looked.open(index)? else { return Ok(false) };
        for id in was.content.iter().flatten() {
            match shown::next(&mut file, *id, shown.length(*id)?) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                // It has become shorter meanwhile.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
                Err(error) => return Err(hole(path, error)),
            }
        }
        Ok(true)
    }
}

fn tree(node: &Node) -> Option<TreeId> {
    node.subtree.filter(|_| node.is_dir())
}

fn nodes(shown: &Shown, tree: Option<TreeId>) -> Result<BTreeMap<Vec<u8>, Node>, SnapshotError> {
    let nodes = tree.map_or_else(|| Ok(Vec::new()), |tree| shown.directory(tree))?;
    Ok(nodes.into_iter().map(|node| (node.name().as_bytes().to_vec(), node)).collect())
}

/// Two directories side by side.
fn pairs<A, B>(
    was: BTreeMap<Vec<u8>, A>,
    is: BTreeMap<Vec<u8>, B>,
) -> impl Iterator<Item = (Vec<u8>, (Option<A>, Option<B>))> {
    let (mut was, mut is) = (was.into_iter().peekable(), is.into_iter().peekable());
    std::iter::from_fn(move || {
        let order = match (was.peek(), is.peek()) {
            (Some((a, _)), Some((b, _))) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        let left = if order == Ordering::Greater { None } else { was.next() };
        let right = if order == Ordering::Less { None } else { is.next() };
        let name = left.as_ref().map(|(name, _)| name).or(right.as_ref().map(|(name, _)| name));
        let name = name.cloned().unwrap_or_default();
        Some((name, (left.map(|(_, a)| a), right.map(|(_, b)| b))))
    })
}

/// Of two things of one name. Times are no difference.
fn change(was: &Node, is: &Node) -> Option<Change> {
    let same = match (&was.node_type, &is.node_type) {
        (NodeType::Dir, NodeType::Dir) => true,
        (NodeType::File, NodeType::File) => was.content == is.content,
        (a @ NodeType::Symlink { .. }, b @ NodeType::Symlink { .. }) => {
            return (a.to_link() != b.to_link()).then_some(Change::Changed);
        }
        _ => false,
    };
    match same {
        false => Some(Change::Changed),
        true => (mode(was) != mode(is)).then_some(Change::Mode),
    }
}
