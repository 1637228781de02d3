//! What a store must do for issues.

use crate::BoxFuture;
use crate::id::IssueId;
use crate::issue::{Filter, Issue, Tally};
use crate::store::StoreError;
use crate::time::Timestamp;

/// The issues within one unit of work.
pub trait Issues: Send {
    /// Opens an issue; if one of its key is open, that one is counted on by `issue.count` and takes
    /// the newer words.
    fn raise(&mut self, issue: Issue) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Resolves the open issue with this key; whether there was one.
    fn settle(&mut self, key: String, now: Timestamp) -> BoxFuture<'_, Result<bool, StoreError>>;
    /// The issue with this id.
    fn get(&mut self, id: IssueId) -> BoxFuture<'_, Result<Option<Issue>, StoreError>>;
    /// At most `limit` issues, those that were opened last first, beginning after `after`.
    fn list(
        &mut self,
        filter: Filter,
        after: Option<IssueId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Issue>, StoreError>>;
    /// How many are open, by box and severity.
    fn tally(&mut self, filter: Filter) -> BoxFuture<'_, Result<Vec<Tally>, StoreError>>;
    /// Deletes resolved ones that were resolved before `before`, and the oldest beyond `most`; how many.
    fn sweep(&mut self, before: Timestamp, most: u32) -> BoxFuture<'_, Result<u64, StoreError>>;
}
