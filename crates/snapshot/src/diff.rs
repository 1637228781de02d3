//! How something differs from a snapshot. What is the same in both is not looked into.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use rustic_core::TreeId;
use rustic_core::repofile::{Node, NodeType};
use smartbox_core::home::FilePath;
use smartbox_core::snapshot::SnapshotId;
use smartbox_core::snapshot::port::{Against, Change, Difference, SnapshotError};

use crate::found::{Found, Kind};
use crate::shown::{Shown, deeper, mode};

pub(crate) fn diff(
    shown: &Shown,
    against: &Against,
    limit: usize,
) -> Result<Difference, SnapshotError> {
    let mut changes = Changes { limit, found: Difference::default() };
    match against {
        Against::Snapshot(id) => snapshots(shown, id, &mut changes)?,
        Against::Home(place, exclude) => {
            let home = Found::open(&place.home, exclude)?;
            changes.home(shown, Some(shown.root()), &home, Some(&home.root()?), b"")?;
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

    fn home(
        &mut self,
        shown: &Shown,
        was: Option<TreeId>,
        home: &Found,
        is: Option<&OwnedFd>,
        path: &[u8],
    ) -> Result<(), SnapshotError> {
        let was = nodes(shown, was)?;
        let names = match is {
            Some(directory) => home.names(directory, path)?,
            None => BTreeMap::new(),
        };
        for (name, (was, there)) in pairs(was, names) {
            let path = deeper(path, &name)?;
            // One at a time: each is an open descriptor.
            let is = match (is, there) {
                (Some(directory), Some(())) => home.look(directory, &name, &path)?,
                _ => None,
            };
            match (&was, &is) {
                (Some(_), None) => self.add(&path, Change::Removed),
                (None, Some(_)) => self.add(&path, Change::Added),
                (Some(was), Some(is)) => {
                    let same = match (&was.node_type, &is.kind) {
                        (NodeType::Dir, Kind::Directory(_)) => true,
                        (NodeType::File, Kind::File(file)) => file.is(shown, was, &path)?,
                        (link @ NodeType::Symlink { .. }, Kind::Link(target)) => {
                            link.to_link().as_os_str().as_bytes() == target.as_slice()
                        }
                        _ => false,
                    };
                    let link = matches!(is.kind, Kind::Link(_));
                    match same {
                        false => self.add(&path, Change::Changed),
                        true if !link && mode(was) != is.mode => self.add(&path, Change::Mode),
                        true => {}
                    }
                }
                (None, None) => {}
            }
            let below = match is.map(|is| is.kind) {
                Some(Kind::Directory(directory)) => Some(directory),
                _ => None,
            };
            let tree = was.as_ref().and_then(tree);
            if tree.is_some() || below.is_some() {
                self.home(shown, tree, home, below.as_ref(), &path)?;
            }
        }
        Ok(())
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
