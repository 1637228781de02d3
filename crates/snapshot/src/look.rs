//! What a snapshot holds at a path.

use smartbox_core::home::FilePath;
use smartbox_core::snapshot::port::{Kept, SnapshotError};

use crate::shown::{Shown, deeper, entry};

pub(crate) fn look(shown: &Shown, path: &FilePath) -> Result<Vec<Kept>, SnapshotError> {
    let found = shown.find(path)?;
    let base = clean(path);
    let tree = match &found {
        None => shown.root(),
        Some(node) => match node.subtree.filter(|_| node.is_dir()) {
            Some(tree) => tree,
            None => return Ok(vec![Kept { path: FilePath(base), entry: entry(node) }]),
        },
    };
    let nodes = shown.directory(tree)?;
    let kept = nodes.iter().map(|node| {
        let entry = entry(node);
        Ok(Kept { path: FilePath(deeper(&base, &entry.name)?), entry })
    });
    kept.collect()
}

/// The path without what says nothing. It was walked, and has no way up.
fn clean(path: &FilePath) -> Vec<u8> {
    let names = path.0.split(|byte| *byte == b'/').filter(|name| !matches!(*name, b"" | b"."));
    names.collect::<Vec<_>>().join(&b'/')
}
