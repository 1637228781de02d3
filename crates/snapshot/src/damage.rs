//! What is damaged in a repository, object by object, and what of a home that hits.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;

use rustic_core::repofile::{IndexFile, IndexPack};
use rustic_core::{BlobId, FileType, Id, ReadBackend, RusticResult, TreeId};
use smartbox_core::snapshot::port::SnapshotError;

use crate::backend::{Backend, why};
use crate::heal::is_whole;
use crate::open::Opened;
use crate::shown::{Shown, deeper};

const WHAT: &str = "repository of snapshots";

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Objects that are not what their names say, and packs that are gone.
    pub(crate) objects: Vec<(FileType, Id)>,
    /// The pieces in those packs.
    pub(crate) blobs: BTreeSet<BlobId>,
}

/// Looks for what is damaged, beginning with what the library told of.
pub(crate) fn survey(
    backend: &Backend,
    opened: &Opened,
    told: &[String],
) -> Result<Survey, SnapshotError> {
    let mut found = Survey::default();
    for kind in [FileType::Index, FileType::Snapshot] {
        for (id, _) in list(backend, kind)? {
            if is_whole(backend, kind, &id)? == Some(false) {
                found.objects.push((kind, id));
            }
        }
    }
    let index = Indexed::read(backend, opened)?;
    let named: BTreeSet<Id> = told.iter().flat_map(|text| ids(text)).collect();
    let suspects = |id: &Id| named.contains(id);
    let mut packs = index.broken(backend, suspects)?;
    if packs.is_empty() && found.objects.is_empty() {
        packs = index.broken(backend, |_| true)?;
    }
    for id in packs {
        let blobs = index.packs.get(&id).into_iter().flat_map(|pack| &pack.blobs);
        found.blobs.extend(blobs.map(|blob| blob.id));
        found.objects.push((FileType::Pack, id));
    }
    Ok(found)
}

/// Packs by the index, and those that are there.
pub(crate) struct Indexed {
    packs: BTreeMap<Id, IndexPack>,
    /// Those that wait to be removed.
    marked: BTreeSet<Id>,
    there: BTreeMap<Id, u32>,
}

impl Indexed {
    pub(crate) fn read(backend: &Backend, opened: &Opened) -> Result<Self, SnapshotError> {
        let files = opened.repository.stream_files::<IndexFile>();
        let files = files.map_err(|error| why(&opened.gate, WHAT, error))?;
        let (mut packs, mut marked) = (BTreeMap::new(), BTreeSet::new());
        // One that cannot be read was found by its hash.
        for (_, file) in files.filter_map(RusticResult::ok) {
            packs.extend(file.packs.into_iter().map(|pack| (*pack.id, pack)));
            marked.extend(file.packs_to_delete.into_iter().map(|pack| *pack.id));
        }
        let there = list(backend, FileType::Pack)?.into_iter().collect();
        Ok(Self { packs, marked, there })
    }

    /// Packs that are named and gone, or of another length.
    pub(crate) fn gone(&self) -> Vec<Id> {
        let gone = self.packs.iter().filter(|(id, pack)| {
            self.there.get(*id).is_none_or(|length| *length != pack.pack_size())
        });
        gone.map(|(id, _)| *id).collect()
    }

    /// Whether a pack is there that nothing names.
    pub(crate) fn has_unnamed(&self) -> bool {
        self.there.keys().any(|id| !self.packs.contains_key(id) && !self.marked.contains(id))
    }

    fn broken(
        &self,
        backend: &Backend,
        suspects: impl Fn(&Id) -> bool,
    ) -> Result<Vec<Id>, SnapshotError> {
        let mut broken = self.gone();
        for id in self.there.keys().filter(|id| suspects(id)) {
            if !broken.contains(id) && is_whole(backend, FileType::Pack, id)? == Some(false) {
                broken.push(*id);
            }
        }
        Ok(broken)
    }
}

fn list(backend: &Backend, kind: FileType) -> Result<Vec<(Id, u32)>, SnapshotError> {
    backend.list_with_size(kind).map_err(|error| why(&backend.gate, WHAT, error))
}

/// The ids that stand in a text.
fn ids(text: &str) -> Vec<Id> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() == 64);
    words.filter_map(|word| word.parse().ok()).collect()
}

/// The files that are hit.
pub(crate) struct Damage<'a> {
    blobs: &'a BTreeSet<BlobId>,
    files: BTreeSet<String>,
    /// Trees that were walked: most are those of the snapshot before.
    seen: BTreeSet<TreeId>,
}

impl<'a> Damage<'a> {
    pub(crate) fn of(blobs: &'a BTreeSet<BlobId>) -> Self {
        Self { blobs, files: BTreeSet::new(), seen: BTreeSet::new() }
    }

    pub(crate) fn add(&mut self, text: String) {
        self.files.insert(text);
    }

    pub(crate) fn walk(&mut self, shown: &Shown, tree: TreeId, path: &[u8]) {
        if !self.seen.insert(tree) {
            return;
        }
        let Ok(nodes) = shown.directory(tree) else {
            let text = String::from_utf8_lossy(path);
            return self.add(format!("everything in `/{text}`"));
        };
        for node in nodes {
            let Ok(path) = deeper(path, node.name().as_bytes()) else { return };
            let hit = |id: BlobId| self.blobs.contains(&id) || shown.length(id.into()).is_err();
            if node.content.iter().flatten().any(|id| hit(BlobId::from(*id))) {
                self.add(format!("`{}`", String::from_utf8_lossy(&path)));
            }
            if let Some(tree) = node.subtree.filter(|_| node.is_dir()) {
                self.walk(shown, tree, &path);
            }
        }
    }

    /// The first ones, and how many there are besides.
    pub(crate) fn told(&self, most: usize) -> String {
        let first: Vec<&str> = self.files.iter().take(most).map(String::as_str).collect();
        match self.files.len().saturating_sub(most) {
            0 => first.join(", "),
            more => format!("{} and {more} more", first.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_what_the_library_says() {
        let id = "0123456789abcdef".repeat(4);
        let text = format!("pack {id}: Hash mismatch. Computed hash: {}", "ab".repeat(32));
        assert_eq!(ids(&text).len(), 2);
        assert_eq!(ids(&text)[0].to_hex().as_str(), id);
        assert!(ids("pack 0123: no").is_empty());
    }
}
