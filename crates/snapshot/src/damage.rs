//! What is damaged in a repository, object by object, and what of a home that hits.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;

use futures_util::{StreamExt, TryStreamExt, stream};
use rustic_core::repofile::{IndexFile, IndexPack};
use rustic_core::{BlobId, FileType, Id, ReadBackend, RusticResult, TreeId};
use smartbox_core::snapshot::port::SnapshotError;

use crate::backend::{Backend, why};
use crate::heal::look_at;
use crate::open::Opened;
use crate::shown::{Shown, deeper};

const WHAT: &str = "repository of snapshots";

/// Objects that are read at a time.
const AT_ONCE: usize = 8;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Objects that are not what their names say, and packs that are gone.
    pub(crate) objects: Vec<(FileType, Id)>,
    /// The pieces in those packs.
    pub(crate) blobs: BTreeSet<BlobId>,
}

/// Looks at every object. A check ends where a directory cannot be read, and knows nothing of what is
/// beneath; what is healed without it would be built upon that.
pub(crate) fn survey(backend: &Backend, opened: &Opened) -> Result<Survey, SnapshotError> {
    let mut found = Survey::default();
    for kind in [FileType::Index, FileType::Snapshot] {
        let ids = list(backend, kind)?.into_iter().map(|(id, _)| id).collect();
        found.objects.extend(broken(backend, kind, ids)?.into_iter().map(|id| (kind, id)));
    }
    let index = Indexed::read(backend, opened)?;
    let mut packs = index.gone();
    let there = index.there.keys().filter(|id| !packs.contains(id)).copied().collect();
    packs.extend(broken(backend, FileType::Pack, there)?);
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
}

/// Those that are there and are not what their names say.
fn broken(backend: &Backend, kind: FileType, ids: Vec<Id>) -> Result<Vec<Id>, SnapshotError> {
    let looked = stream::iter(ids).map(|id| async move {
        let whole = look_at(backend, kind, &id).await?;
        Ok((whole == Some(false)).then_some(id))
    });
    let found: Vec<Option<Id>> =
        backend.runtime.block_on(looked.buffered(AT_ONCE).try_collect())?;
    Ok(found.into_iter().flatten().collect())
}

fn list(backend: &Backend, kind: FileType) -> Result<Vec<(Id, u32)>, SnapshotError> {
    backend.list_with_size(kind).map_err(|error| why(&backend.gate, WHAT, error))
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
