//! Where usage is recorded.

use crate::BoxFuture;
use crate::id::{AccountId, SmartboxId};
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::usage::{Total, Usage};

/// The usage ledger within one unit of work.
pub trait Ledger: Send {
    /// Records a call.
    fn record(&mut self, usage: Usage) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The sum for a box since a time.
    fn total(
        &mut self,
        id: SmartboxId,
        since: Timestamp,
    ) -> BoxFuture<'_, Result<Total, StoreError>>;
    /// The sum for all boxes that there are since a time; for those of one account if given.
    fn sum(
        &mut self,
        account: Option<AccountId>,
        since: Timestamp,
    ) -> BoxFuture<'_, Result<Total, StoreError>>;
}
