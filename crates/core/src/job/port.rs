//! What a store must do for jobs.

use crate::BoxFuture;
use crate::id::{AccountId, JobId, SmartboxId};
use crate::job::{Event, Happening, Item, Job, JobState};
use crate::secret::Secret;
use crate::store::StoreError;
use crate::time::Timestamp;

/// The jobs within one unit of work.
pub trait Jobs: Items + Sealed {
    /// Adds a job; [`StoreError::Exists`] if its id, or its key in its account, is there already.
    fn add(&mut self, job: Job) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The job with this id.
    fn get(&mut self, id: JobId) -> BoxFuture<'_, Result<Option<Job>, StoreError>>;
    /// Replaces a job. What is sealed with it is forgotten once it is over.
    fn put(&mut self, job: Job) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Removes a job with its events and items. Removing twice is once.
    fn remove(&mut self, id: JobId) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Jobs that are not over, in the order in which they were added.
    fn open(&mut self) -> BoxFuture<'_, Result<Vec<Job>, StoreError>>;
    /// The newest jobs that are as the filter says, newest first.
    fn list(&mut self, filter: Filter) -> BoxFuture<'_, Result<Vec<Job>, StoreError>>;
    /// Writes down what happened to a job, within the limits of [`crate::job::event::Tally`].
    fn append(
        &mut self,
        id: JobId,
        at: Timestamp,
        what: Happening,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// At most `limit` events of a job after `after`, oldest first.
    fn events(
        &mut self,
        id: JobId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Event>, StoreError>>;
}

/// The items of jobs within one unit of work.
pub trait Items: Send {
    /// Adds or replaces items of a job by their place.
    fn put_items(&mut self, id: JobId, items: Vec<Item>) -> BoxFuture<'_, Result<(), StoreError>>;
    /// All items of a job, by their place.
    fn items(&mut self, id: JobId) -> BoxFuture<'_, Result<Vec<Item>, StoreError>>;
}

/// What runs of a job need and nobody is shown, within one unit of work: kept as secrets are, and
/// no longer than the job is at work.
pub trait Sealed: Send {
    /// Seals a value with a job.
    fn seal(&mut self, id: JobId, value: Secret<String>) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Opens the value that was sealed with a job; none once the job is over.
    fn unseal(&mut self, id: JobId) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>>;
}

/// Which jobs are meant. What is absent does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this account.
    pub account: Option<AccountId>,
    /// About this box.
    pub smartbox: Option<SmartboxId>,
    /// In one of these states; none for all.
    pub states: Vec<JobState>,
    /// Of this kind.
    pub kind: Option<String>,
    /// With this key.
    pub key: Option<String>,
    /// To be forgotten at this time.
    pub expired: Option<Timestamp>,
    /// Older than this one: the last of the page before.
    pub before: Option<(Timestamp, JobId)>,
    /// At most so many.
    pub limit: u32,
}
