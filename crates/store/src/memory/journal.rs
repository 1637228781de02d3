//! Journals of boxes in memory.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::id::SmartboxId;
use smartbox_core::journal::port::Journal;
use smartbox_core::journal::{Entry, MOST};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::records::Records;

impl Records<'_> {
    fn add_entries(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let state = self.change()?;
        let Some(id) = entries.first().map(|entry| entry.smartbox.clone()) else { return Ok(()) };
        if !state.boxes.contains_key(&id) {
            return Ok(());
        }
        let journal = Arc::make_mut(&mut state.journals).entry(id).or_default();
        for entry in entries {
            state.noted += 1;
            journal.push((state.noted, entry));
        }
        let surplus = journal.len().saturating_sub(MOST as usize);
        journal.drain(..surplus);
        Ok(())
    }
}

impl Journal for Records<'_> {
    fn note(&mut self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.add_entries(entries)))
    }

    fn read(
        &mut self,
        id: SmartboxId,
        after: u64,
        since: Timestamp,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<(u64, Entry)>, StoreError>> {
        let all = self.state.journals.get(&id).map(Vec::as_slice).unwrap_or_default();
        let meant = |(place, entry): &&(u64, Entry)| *place > after && entry.at >= since;
        let mut found: Vec<_> =
            all.iter().rev().filter(meant).take(limit as usize).cloned().collect();
        found.reverse();
        Box::pin(ready(Ok(found)))
    }
}
