//! Usage of models in memory.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::id::SmartboxId;
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
        let total = calls.fold(Total::default(), |sum, u| Total {
            calls: sum.calls + 1,
            input: sum.input + u.input + u.cache_read + u.cache_write,
            output: sum.output + u.output,
        });
        Box::pin(ready(Ok(total)))
    }
}
