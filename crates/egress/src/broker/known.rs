//! What is remembered of a box as long as it is there: what it used up, who vouches in its name, and
//! what it holds in the place of secrets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use smartbox_core::egress::port::Rules;
use smartbox_core::egress::{Quota, Refusal, Spent, Standins, Way};
use smartbox_core::id::SmartboxId;
use smartbox_core::store::StoreError;
use smartbox_core::time::Clock;
use tokio::sync::OnceCell;

use super::authority::Voucher;
use super::secrets::Filter;
use crate::swap::Swap;

/// One box.
#[derive(Default)]
pub(crate) struct Known {
    /// Read from the account at the first connection. Whatever passes holds it, too.
    budget: OnceCell<Arc<Budget>>,
    /// The certificate of its authority, and what vouches in its name.
    pub(crate) voucher: Mutex<Option<(String, Arc<Voucher>)>>,
    /// What it holds, as it was told, and in the form in which it is looked for.
    pub(crate) swap: Mutex<Option<(Arc<Standins>, Arc<Swap>)>>,
    /// What takes values out of answers, as long as answers pass.
    pub(crate) filter: Mutex<Weak<Filter>>,
}

impl Known {
    /// What the box may still send and fetch.
    pub(crate) async fn budget(
        &self,
        id: &SmartboxId,
        rules: &dyn Rules,
        clock: &Arc<dyn Clock>,
        quota: Quota,
    ) -> Result<Arc<Budget>, StoreError> {
        let read = || async {
            let spent = Mutex::new(rules.spent(id).await?);
            Ok(Arc::new(Budget { spent, quota, clock: clock.clone() }))
        };
        self.budget.get_or_try_init(read).await.cloned()
    }
}

/// What a box may still send and fetch; all its connections share it.
pub(crate) struct Budget {
    spent: Mutex<Spent>,
    quota: Quota,
    clock: Arc<dyn Clock>,
}

impl Budget {
    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One connection, or one request.
    pub(crate) fn enter(&self) -> Result<(), Refusal> {
        self.spent().enter(&self.quota, self.clock.now())
    }

    /// How many of so many bytes may pass. They are used up by the asking.
    pub(crate) fn pass(&self, way: Way, bytes: usize) -> usize {
        self.spent().pass(&self.quota, way, bytes, self.clock.now())
    }
}
