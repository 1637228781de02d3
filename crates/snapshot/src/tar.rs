//! A part of a snapshot as a tar archive in the POSIX (pax) form. Names are bytes; where they are not
//! text, a record says so.

use std::collections::HashMap;
use std::io;
use std::os::unix::ffi::OsStrExt;

use rustic_core::TreeId;
use rustic_core::repofile::{Node, NodeType};
use smartbox_core::snapshot::port::SnapshotError;
use tar::{Builder, EntryType, Header};

use crate::read::{File, Out};
use crate::shown::{Shown, deeper, mode};

/// What fits into a head.
const NAME: usize = 100;
const SIZE: u64 = 0o777_7777_7777;

/// Writes a thing with everything in it; nothing is the whole snapshot. Names in a directory are relative
/// to it; a file has its own.
pub(crate) fn write(
    shown: &Shown,
    node: Option<&Node>,
    out: &mut Out,
) -> Result<(), SnapshotError> {
    let mut tar = Tar { shown, builder: Builder::new(out), linked: HashMap::new() };
    let tree = match node {
        None => Some(shown.root()),
        Some(node) => node.subtree.filter(|_| node.is_dir()),
    };
    match (tree, node) {
        (Some(tree), _) => tar.directory(tree, b"")?,
        (None, Some(node)) => tar.thing(node, node.name().as_bytes())?,
        (None, None) => {}
    }
    // An error is that of a listener who is gone, who needs no end.
    let _ = tar.builder.finish();
    Ok(())
}

struct Tar<'a> {
    shown: &'a Shown,
    builder: Builder<&'a mut Out>,
    /// The first name of a file that has several.
    linked: HashMap<(u64, u64), Vec<u8>>,
}

impl Tar<'_> {
    fn directory(&mut self, tree: TreeId, path: &[u8]) -> Result<(), SnapshotError> {
        for node in self.shown.directory(tree)? {
            let path = deeper(path, node.name().as_bytes())?;
            self.thing(&node, &path)?;
            if let Some(tree) = node.subtree.filter(|_| node.is_dir()) {
                self.directory(tree, &path)?;
            }
        }
        Ok(())
    }

    fn thing(&mut self, node: &Node, path: &[u8]) -> Result<(), SnapshotError> {
        match &node.node_type {
            NodeType::Dir => {
                let path = [path, b"/"].concat();
                self.head(node, EntryType::Directory, &path, None, 0)
                    .and_then(|head| self.builder.append(&head, io::empty()))
            }
            NodeType::File => return self.file(node, path),
            link @ NodeType::Symlink { .. } => {
                let target = link.to_link().as_os_str().as_bytes().to_vec();
                self.head(node, EntryType::Symlink, path, Some(&target), 0)
                    .and_then(|head| self.builder.append(&head, io::empty()))
            }
            // Never taken.
            _ => Ok(()),
        }
        .map_err(gone)
    }

    fn file(&mut self, node: &Node, path: &[u8]) -> Result<(), SnapshotError> {
        let meta = &node.meta;
        if meta.links > 1 && meta.inode != 0 {
            let key = (meta.device_id, meta.inode);
            if let Some(first) = self.linked.get(&key).cloned() {
                let head = self.head(node, EntryType::Link, path, Some(&first), 0);
                return head.and_then(|head| self.builder.append(&head, io::empty())).map_err(gone);
            }
            self.linked.insert(key, path.to_vec());
        }
        let head = self.head(node, EntryType::Regular, path, None, meta.size).map_err(gone)?;
        let mut file = File::of(self.shown, node);
        let written = self.builder.append(&head, &mut file);
        // What is wrong with the snapshot comes before what is wrong with the listener.
        match file.failed.take() {
            Some(error) => Err(error),
            None => written.map_err(gone),
        }
    }

    /// A head, and before it the records of what does not fit in it.
    fn head(
        &mut self,
        node: &Node,
        kind: EntryType,
        path: &[u8],
        target: Option<&[u8]>,
        size: u64,
    ) -> io::Result<Header> {
        let mut head = Header::new_ustar();
        head.set_entry_type(kind);
        head.set_mode(mode(node));
        head.set_uid(0);
        head.set_gid(0);
        let mtime = node.meta.mtime.unwrap_or_default();
        head.set_mtime(u64::try_from(mtime.as_second()).unwrap_or(0));
        head.set_size(size);
        let time = format!("{}.{:09}", mtime.as_second(), mtime.subsec_nanosecond().max(0));
        let size_text = size.to_string();
        let mut records: Vec<(&str, &[u8])> = Vec::new();
        let text =
            [Some(path), target].into_iter().flatten().all(|b| std::str::from_utf8(b).is_ok());
        if !text {
            // Or else what stands in a record is UTF-8.
            records.push(("hdrcharset", b"BINARY"));
        }
        if path.len() > NAME || !text {
            records.push(("path", path));
        }
        if let Some(target) = target.filter(|target| target.len() > NAME || !text) {
            records.push(("linkpath", target));
        }
        if size > SIZE {
            records.push(("size", size_text.as_bytes()));
        }
        if mtime.subsec_nanosecond() != 0 || mtime.as_second() < 0 {
            records.push(("mtime", time.as_bytes()));
        }
        self.builder.append_pax_extensions(records)?;
        let fields = head.as_ustar_mut();
        if let Some(fields) = fields {
            fill(&mut fields.name, path);
            fill(&mut fields.linkname, target.unwrap_or_default());
        }
        head.set_cksum();
        Ok(head)
    }
}

/// As much as there is room for; the record before it has the rest.
fn fill(field: &mut [u8; NAME], bytes: &[u8]) {
    let most = bytes.len().min(NAME);
    field[..most].copy_from_slice(&bytes[..most]);
}

/// Nobody listens. That is no one's failure, but it ends the way through the tree.
fn gone(source: io::Error) -> SnapshotError {
    SnapshotError::Broken { doing: "sending an archive", source: source.into() }
}
