//! Smartboxes in memory.

use std::collections::BTreeSet;
use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::smartbox::port::Boxes;
use smartbox_core::smartbox::{Base, Smartbox};
use smartbox_core::store::StoreError;

use super::records::Records;

impl Records<'_> {
    fn check_unique(&self, row: &Smartbox) -> Result<(), StoreError> {
        for other in self.state.boxes.values().filter(|b| b.id != row.id) {
            if other.account == row.account && other.name == row.name {
                return Err(StoreError::Exists { what: "smartbox" });
            }
            if other.label == row.label {
                return Err(StoreError::Exists { what: "host label" });
            }
            if other.account == row.account && other.base == Base::Pa && row.base == Base::Pa {
                return Err(StoreError::Exists { what: "PA" });
            }
            if other.slot == row.slot {
                return Err(StoreError::Exists { what: "slot" });
            }
        }
        Ok(())
    }

    fn add_box(&mut self, row: Smartbox) -> Result<(), StoreError> {
        self.change()?;
        if self.state.boxes.contains_key(&row.id) {
            return Err(StoreError::Exists { what: "smartbox" });
        }
        self.check_unique(&row)?;
        self.need_account(&row.account, "account")?;
        Arc::make_mut(&mut self.state.boxes).insert(row.id.clone(), row);
        Ok(())
    }

    fn put_box(&mut self, row: Smartbox) -> Result<(), StoreError> {
        self.change()?;
        self.need_box(&row.id, "smartbox")?;
        self.check_unique(&row)?;
        self.need_account(&row.account, "account")?;
        Arc::make_mut(&mut self.state.boxes).insert(row.id.clone(), row);
        Ok(())
    }
}

impl Boxes for Records<'_> {
    fn add(&mut self, row: Smartbox) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.add_box(row)))
    }

    fn get(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Option<Smartbox>, StoreError>> {
        Box::pin(ready(Ok(self.state.boxes.get(&id).cloned())))
    }

    fn named(
        &mut self,
        account: AccountId,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Smartbox>, StoreError>> {
        let found = self.state.boxes.values().find(|b| b.account == account && b.name == name);
        Box::pin(ready(Ok(found.cloned())))
    }

    fn labelled(&mut self, label: String) -> BoxFuture<'_, Result<Option<Smartbox>, StoreError>> {
        Box::pin(ready(Ok(self.state.boxes.values().find(|b| b.label == label).cloned())))
    }

    fn list(
        &mut self,
        account: Option<AccountId>,
    ) -> BoxFuture<'_, Result<Vec<Smartbox>, StoreError>> {
        let wanted = |b: &&Smartbox| account.as_ref().is_none_or(|id| b.account == *id);
        let mut rows: Vec<_> = self.state.boxes.values().filter(wanted).cloned().collect();
        rows.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Box::pin(ready(Ok(rows)))
    }

    fn put(&mut self, row: Smartbox) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.put_box(row)))
    }

    fn remove(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.change().map(|state| state.remove_box(&id))))
    }

    fn free_slot(&mut self) -> BoxFuture<'_, Result<u32, StoreError>> {
        let taken: BTreeSet<u32> = self.state.boxes.values().map(|b| b.slot).collect();
        let free = (0..).find(|slot| !taken.contains(slot));
        Box::pin(ready(free.ok_or_else(|| StoreError::Broken("every slot is taken".into()))))
    }
}
