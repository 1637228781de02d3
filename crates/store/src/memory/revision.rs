//! Revisions of the engine's configuration in memory.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::config::Revision;
use smartbox_core::config::port::{Opened, Revisions};
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Secret;
use smartbox_core::store::StoreError;

use super::records::Records;

/// A revision and its document.
pub(super) type Kept = (Revision, Arc<Secret<String>>);

impl Records<'_> {
    fn add_revision(
        &mut self,
        mut revision: Revision,
        document: Secret<String>,
        keep: u32,
    ) -> Result<u64, StoreError> {
        self.change()?;
        self.need_box(&revision.smartbox, "smartbox")?;
        let id = revision.smartbox.clone();
        let of_box = Arc::make_mut(&mut self.state.revisions).entry(id).or_default();
        let seq = of_box.last().map_or(0, |(newest, _)| newest.seq) + 1;
        revision.seq = seq;
        of_box.push((revision, Arc::new(document)));
        let beyond = of_box.len().saturating_sub(keep.max(1) as usize);
        of_box.drain(..beyond);
        Ok(seq)
    }

    fn refuse_revision(
        &mut self,
        smartbox: &SmartboxId,
        seq: u64,
        why: String,
    ) -> Result<(), StoreError> {
        let revisions = Arc::make_mut(&mut self.change()?.revisions);
        let found =
            revisions.get_mut(smartbox).into_iter().flatten().find(|kept| kept.0.seq == seq);
        found.ok_or(StoreError::Missing { what: "revision" })?.0.refused = Some(why);
        Ok(())
    }

    fn of_box(&self, smartbox: &SmartboxId) -> impl DoubleEndedIterator<Item = &Kept> {
        self.state.revisions.get(smartbox).into_iter().flatten()
    }
}

impl Revisions for Records<'_> {
    fn add(
        &mut self,
        revision: Revision,
        document: Secret<String>,
        keep: u32,
    ) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(ready(self.add_revision(revision, document, keep)))
    }

    fn list(
        &mut self,
        smartbox: SmartboxId,
        before: Option<u64>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Revision>, StoreError>> {
        let newest = self.of_box(&smartbox).rev().map(|(revision, _)| revision);
        let wanted = newest.filter(|revision| before.is_none_or(|before| revision.seq < before));
        Box::pin(ready(Ok(wanted.take(limit as usize).cloned().collect())))
    }

    fn open(
        &mut self,
        smartbox: SmartboxId,
        seq: u64,
    ) -> BoxFuture<'_, Result<Option<Opened>, StoreError>> {
        let found = self.of_box(&smartbox).find(|(revision, _)| revision.seq == seq);
        let found = found.map(|(revision, document)| (revision.clone(), Secret::clone(document)));
        Box::pin(ready(Ok(found)))
    }

    fn refuse(
        &mut self,
        smartbox: SmartboxId,
        seq: u64,
        why: String,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.refuse_revision(&smartbox, seq, why)))
    }
}
