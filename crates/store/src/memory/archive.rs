//! What there is of boxes' snapshots, in memory.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::secret::Secret;
use smartbox_core::snapshot::record::{Archive, Archives, Envelopes, Record, Tombs, Tombstone};
use smartbox_core::snapshot::{Generation, RepositoryKey};
use smartbox_core::store::StoreError;

use super::records::Records;

/// An archive with what belongs to it.
#[derive(Clone)]
pub(super) struct Kept {
    archive: Archive,
    key: Option<RepositoryKey>,
    generations: BTreeMap<Generation, Record>,
    tombstone: Option<Tombstone>,
}

impl Records<'_> {
    fn archive(&mut self, id: &SmartboxId) -> Result<&mut Kept, StoreError> {
        let archives = Arc::make_mut(&mut self.change()?.archives);
        archives.get_mut(id).ok_or(StoreError::Missing { what: "archive" })
    }

    fn put_archive(&mut self, archive: Archive) -> Result<(), StoreError> {
        let archives = Arc::make_mut(&mut self.change()?.archives);
        match archives.get_mut(&archive.smartbox) {
            Some(kept) => kept.archive = archive,
            None => {
                let (id, generations) = (archive.smartbox.clone(), BTreeMap::new());
                archives.insert(id, Kept { archive, key: None, generations, tombstone: None });
            }
        }
        Ok(())
    }

    fn keep_key(&mut self, id: &SmartboxId, key: RepositoryKey) -> Result<(), StoreError> {
        let kept = self.archive(id)?;
        if kept.key.is_some() {
            return Err(StoreError::Exists { what: "repository key" });
        }
        kept.key = Some(key);
        Ok(())
    }

    /// Changes an archive; one that is not there stays so.
    fn change_archive(
        &mut self,
        id: &SmartboxId,
        edit: impl FnOnce(&mut Kept),
    ) -> Result<(), StoreError> {
        match self.archive(id) {
            Err(StoreError::Missing { .. }) => Ok(()),
            found => found.map(edit),
        }
    }
}

impl Archives for Records<'_> {
    fn get(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Option<Archive>, StoreError>> {
        Box::pin(ready(Ok(self.state.archives.get(&id).map(|kept| kept.archive.clone()))))
    }

    fn put(&mut self, archive: Archive) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.put_archive(archive)))
    }

    fn key(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Option<RepositoryKey>, StoreError>> {
        Box::pin(ready(Ok(self.state.archives.get(&id).and_then(|kept| kept.key.clone()))))
    }

    fn set_key(
        &mut self,
        id: SmartboxId,
        key: RepositoryKey,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.keep_key(&id, key)))
    }

    fn generations(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        let kept = self.state.archives.get(&id);
        let all = kept.map(|kept| kept.generations.values().cloned().collect());
        Box::pin(ready(Ok(all.unwrap_or_default())))
    }

    fn put_generation(
        &mut self,
        id: SmartboxId,
        record: Record,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let put = self.archive(&id).map(|kept| {
            kept.generations.insert(record.generation, record);
        });
        Box::pin(ready(put))
    }

    fn drop_generations(
        &mut self,
        id: SmartboxId,
        gone: Vec<Generation>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let drop = |kept: &mut Kept| kept.generations.retain(|one, _| !gone.contains(one));
        Box::pin(ready(self.change_archive(&id, drop)))
    }

    fn forget(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<(), StoreError>> {
        let forget = self.change().map(|state| {
            Arc::make_mut(&mut state.archives).remove(&id);
        });
        Box::pin(ready(forget))
    }
}

impl Tombs for Records<'_> {
    fn bury(&mut self, tombstone: Tombstone) -> BoxFuture<'_, Result<(), StoreError>> {
        let buried = self.archive(&tombstone.row.id.clone()).map(|kept| {
            kept.tombstone = Some(tombstone);
        });
        Box::pin(ready(buried))
    }

    fn tombstones(
        &mut self,
        account: Option<AccountId>,
    ) -> BoxFuture<'_, Result<Vec<Tombstone>, StoreError>> {
        let wanted = |one: &&Tombstone| account.as_ref().is_none_or(|id| one.row.account == *id);
        let all = self.state.archives.values().filter_map(|kept| kept.tombstone.as_ref());
        let mut all: Vec<Tombstone> = all.filter(wanted).cloned().collect();
        all.sort_by(|a, b| (b.removed, &a.row.id).cmp(&(a.removed, &b.row.id)));
        Box::pin(ready(Ok(all)))
    }

    fn unearth(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.change_archive(&id, |kept| kept.tombstone = None)))
    }
}

/// Nothing is at rest here, so nothing is sealed; whose it is is checked all the same.
impl Envelopes for Records<'_> {
    fn seal_record(
        &mut self,
        id: SmartboxId,
        plain: Secret<String>,
    ) -> BoxFuture<'_, Result<Bytes, StoreError>> {
        Box::pin(ready(Ok(format!("{id}\n{}", plain.expose()).into())))
    }

    fn open_record(
        &mut self,
        id: SmartboxId,
        sealed: Bytes,
    ) -> BoxFuture<'_, Result<Secret<String>, StoreError>> {
        let text = std::str::from_utf8(&sealed).ok();
        let plain = text.and_then(|text| text.strip_prefix(id.as_str())?.strip_prefix('\n'));
        let plain = plain.map(|plain| Secret::new(plain.to_owned()));
        Box::pin(ready(plain.ok_or(StoreError::Sealed)))
    }
}
