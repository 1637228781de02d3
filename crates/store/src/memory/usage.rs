//! Usage of models in memory.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use smartbox_core::usage::port::Ledger;
use smartbox_core::usage::{Total, Usage};

use super::records::Records;
use crate::release::sane;

impl Records<'_> {
    fn record_usage(&mut self, mut usage: Usage) -> Result<(), StoreError> {
        self.change()?;
        self.need_box(&usage.smartbox, "smartbox")?;
        for count in [
            &mut usage.input,
            &mut usage.output,
            &mut usage.cache_read,
            &mut usage.cache_write,
            &mut usage.took_ms,
        ] {
            *count = sane(*count);
        }
        Arc::make_mut(&mut self.state.usage).push(usage);
        Ok(())
    }
}

impl Ledger for Records<'_> {
    fn record(&mut self, usage: Usage) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.record_usage(usage)))
    }

    fn total(
        &mut self,
        id: SmartboxId,
        since: Timestamp,
    ) -> BoxFuture<'_, Result<Total, StoreError>> {
        let calls = self.state.usage.iter().filter(|u| u.smartbox == id && u.at >= since);
        Box::pin(ready(Ok(add_up(calls))))
    }

    fn sum(
        &mut self,
        account: Option<AccountId>,
        since: Timestamp,
    ) -> BoxFuture<'_, Result<Total, StoreError>> {
        let boxes = &self.state.boxes;
        let meant = |id: &SmartboxId| {
            account.as_ref().is_none_or(|a| boxes.get(id).is_some_and(|b| b.account == *a))
        };
        let calls = self.state.usage.iter().filter(|u| u.at >= since && meant(&u.smartbox));
        let total = add_up(calls);
        Box::pin(ready(Ok(total)))
    }
}

fn add_up<'a>(calls: impl Iterator<Item = &'a Usage>) -> Total {
    calls.fold(Total::default(), |sum, u| Total {
        calls: sum.calls + 1,
        input: sum.input + u.input + u.cache_read + u.cache_write,
        output: sum.output + u.output,
    })
}
