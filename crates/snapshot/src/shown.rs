//! A snapshot's tree, looked at piece by piece. Every piece is what its name says it is, or is damage; a
//! tree that leads out of itself is damage too, whoever made it.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use bytes::Bytes;
use rustic_core::repofile::{BlobType, Node, NodeType, SnapshotFile, Tree};
use rustic_core::{BlobId, DataId, IndexedFullStatus, Repository, RusticError, TreeId};
use sha2::{Digest, Sha256};
use smartbox_core::home::{FileEntry, FileKind, FilePath};
use smartbox_core::snapshot::SnapshotId;
use smartbox_core::snapshot::port::{Cause, SnapshotError};
use smartbox_core::time::Timestamp;

use crate::backend::why;
use crate::gate::Gate;
use crate::open::Opened;
use crate::verify::find;

const WHAT: &str = "snapshot";

/// Deeper than any home that is taken.
const DEPTH: usize = 256;

/// The sticky bit in the format, which has Go's.
const GO_STICKY: u32 = 1 << 20;

/// A snapshot that is open.
pub(crate) struct Shown {
    repository: Repository<IndexedFullStatus>,
    gate: Gate,
    root: TreeId,
}

impl Shown {
    pub(crate) fn open(opened: Opened, id: &SnapshotId) -> Result<Self, SnapshotError> {
        let file = find(&opened, id)?;
        let Opened { repository, gate } = opened;
        let repository = repository.to_indexed().map_err(|error| why(&gate, WHAT, error))?;
        Ok(Self { repository, gate, root: file.tree })
    }

    pub(crate) fn root(&self) -> TreeId {
        self.root
    }

    /// Another snapshot of the same repository.
    pub(crate) fn other(&self, id: &SnapshotId) -> Result<TreeId, SnapshotError> {
        let listed = self.repository.list::<rustic_core::repofile::SnapshotId>();
        let listed = listed.map_err(|error| self.lift(error))?;
        let there = listed.into_iter().find(|one| one.to_hex().as_str() == id.as_str());
        let there = there.ok_or(SnapshotError::Missing { what: WHAT })?;
        let file: Result<SnapshotFile, _> = self.repository.get_file(&there);
        file.map(|file| file.tree).map_err(|error| self.lift(error))
    }

    /// What a directory holds, by name.
    pub(crate) fn directory(&self, id: TreeId) -> Result<Vec<Node>, SnapshotError> {
        let bytes = self.blob(BlobId::from(id), BlobType::Tree)?;
        let tree: Tree = serde_json::from_slice(&bytes).map_err(|error| damage(error.into()))?;
        let mut seen = HashSet::new();
        let mut good = |name: &OsStr| is_name(name.as_bytes()) && seen.insert(name.to_owned());
        match tree.nodes.iter().find(|node| !good(&node.name())) {
            Some(bad) => Err(damage(format!("`{}` is not a name", bad.name.escape_debug()).into())),
            None => Ok(tree.nodes),
        }
    }

    /// A piece of a file.
    pub(crate) fn piece(&self, id: DataId) -> Result<Bytes, SnapshotError> {
        self.blob(BlobId::from(id), BlobType::Data)
    }

    /// How long a piece of a file is.
    pub(crate) fn length(&self, id: DataId) -> Result<u64, SnapshotError> {
        let entry = self.repository.get_index_entry(&id).map_err(|error| self.lift(error))?;
        Ok(entry.data_length().into())
    }

    fn blob(&self, id: BlobId, kind: BlobType) -> Result<Bytes, SnapshotError> {
        let bytes = self.repository.get_blob_cached(&id, kind).map_err(|error| self.lift(error))?;
        // The cipher says that these bytes are of this repository; which of them, their hash.
        if is(id, &bytes) { Ok(bytes) } else { Err(damage("a piece of it is another one".into())) }
    }

    /// The thing at a path, with the name that it has there; nothing for the root itself.
    pub(crate) fn find(&self, path: &FilePath) -> Result<Option<Node>, SnapshotError> {
        let mut tree = Some(self.root);
        let mut found = None;
        for name in path.0.split(|byte| *byte == b'/') {
            match name {
                b"" | b"." => continue,
                b".." => return Err(missing()),
                _ => {}
            }
            let nodes = self.directory(tree.ok_or_else(missing)?)?;
            let node = nodes.into_iter().find(|node| node.name().as_bytes() == name);
            let node = node.ok_or_else(missing)?;
            tree = node.subtree;
            found = Some(node);
        }
        Ok(found)
    }

    pub(crate) fn lift(&self, error: Box<RusticError>) -> SnapshotError {
        why(&self.gate, WHAT, error)
    }
}

/// Whether a piece is what its name says.
pub(crate) fn is(id: BlobId, bytes: &[u8]) -> bool {
    id.to_hex().as_str() == hex(&Sha256::digest(bytes))
}

/// Whether the next bytes of a file are a piece of this length.
pub(crate) fn next(file: &mut File, id: DataId, length: u64) -> io::Result<bool> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_exact(&mut bytes)?;
    Ok(is(BlobId::from(id), &bytes))
}

/// Bytes as the storage names its objects.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        text.extend([byte >> 4, byte & 15].map(|n| char::from_digit(n.into(), 16).unwrap_or('0')));
        text
    })
}

/// The way down to something, held short: a tree whose hashes made a circle would have no end.
pub(crate) fn deeper(path: &[u8], name: &[u8]) -> Result<Vec<u8>, SnapshotError> {
    if path.iter().filter(|byte| **byte == b'/').count() >= DEPTH {
        return Err(damage("it is deeper than any home".into()));
    }
    let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
    Ok([path, slash, name].concat())
}

/// Whether these bytes are a name, and not a way.
pub(crate) fn is_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.contains(&b'/') && !name.contains(&0)
}

pub(crate) fn entry(node: &Node) -> FileEntry {
    let (kind, target) = match &node.node_type {
        NodeType::File => (FileKind::File, None),
        NodeType::Dir => (FileKind::Directory, None),
        link @ NodeType::Symlink { .. } => {
            (FileKind::Link, Some(OsString::from(link.to_link()).into_vec()))
        }
        _ => (FileKind::Other, None),
    };
    FileEntry {
        name: node.name().as_bytes().to_vec(),
        kind,
        size: if kind == FileKind::File { node.meta.size } else { 0 },
        mode: mode(node),
        modified: Timestamp(node.meta.mtime.map_or(0, |at| at.as_millisecond())),
        tag: String::new(),
        target,
    }
}

/// Permission bits as the kernel has them.
pub(crate) fn mode(node: &Node) -> u32 {
    let mode = node.meta.mode.unwrap_or(0);
    let sticky = if mode & GO_STICKY == 0 { 0 } else { 0o1000 };
    mode & 0o777 | sticky
}

pub(crate) fn missing() -> SnapshotError {
    SnapshotError::Missing { what: "file in the snapshot" }
}

pub(crate) fn damage(source: Cause) -> SnapshotError {
    SnapshotError::Corrupt { what: WHAT, source }
}

#[cfg(test)]
mod tests;
