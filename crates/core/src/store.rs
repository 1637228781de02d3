//! The port of the store: one unit of work over all records.

use crate::BoxFuture;
use crate::account::port::Accounts;
use crate::audit::port::Audit;
use crate::config::port::Revisions;
use crate::device::port::Devices;
use crate::egress::port::{Bindings, EgressRules, EgressUses};
use crate::issue::port::Issues;
use crate::job::port::Jobs;
use crate::journal::port::Journal;
use crate::message::port::Messages;
use crate::person::port::{Grants, People};
use crate::reply::port::Replies;
use crate::secret::port::Secrets;
use crate::session::port::Sessions;
use crate::smartbox::port::Boxes;
use crate::snapshot::record::Archives;
use crate::token::port::Tokens;
use crate::usage::port::Ledger;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A record with that name or id is there already.
    #[error("a {what} with that name exists already")]
    Exists {
        /// What kind of record.
        what: &'static str,
    },
    /// The record is gone.
    #[error("there is no such {what}")]
    Missing {
        /// What kind of record.
        what: &'static str,
    },
    /// Another control plane has taken over this data directory: stop acting at once.
    #[error("another control plane has taken over this data directory")]
    Fenced,
    /// The disk is full; nothing was changed.
    #[error("the disk with the data directory is full")]
    Full,
    /// A sealed value cannot be opened with the master key at hand.
    #[error("a sealed value cannot be opened: the master key is not the one it was sealed with")]
    Sealed,
    /// The database itself failed.
    #[error("the database failed")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The records as one unit of work sees them: what there is, and what is done.
pub trait Tx: Holdings + Visitors + Doings {}
impl<T: Holdings + Visitors + Doings> Tx for T {}

/// What there is: records that somebody owns.
pub trait Holdings: Send {
    /// Accounts.
    fn accounts(&mut self) -> &mut dyn Accounts;
    /// How secrets are used by placeholder.
    fn bindings(&mut self) -> &mut dyn Bindings;
    /// Smartboxes.
    fn boxes(&mut self) -> &mut dyn Boxes;
    /// Rules about what may leave.
    fn egress_rules(&mut self) -> &mut dyn EgressRules;
    /// Messages.
    fn messages(&mut self) -> &mut dyn Messages;
    /// Revisions of engines' configurations.
    fn revisions(&mut self) -> &mut dyn Revisions;
    /// Sealed secrets.
    fn secrets(&mut self) -> &mut dyn Secrets;
}

/// Who comes in, and what they may.
pub trait Visitors: Send {
    /// Devices.
    fn devices(&mut self) -> &mut dyn Devices;
    /// What people may.
    fn grants(&mut self) -> &mut dyn Grants;
    /// People.
    fn people(&mut self) -> &mut dyn People;
    /// Sessions of browsers.
    fn sessions(&mut self) -> &mut dyn Sessions;
    /// Tokens.
    fn tokens(&mut self) -> &mut dyn Tokens;
}

/// What is done: records that grow.
pub trait Doings: Send {
    /// Snapshots of boxes, those of removed ones too.
    fn archives(&mut self) -> &mut dyn Archives;
    /// The audit.
    fn audit(&mut self) -> &mut dyn Audit;
    /// What left.
    fn egress_uses(&mut self) -> &mut dyn EgressUses;
    /// Issues.
    fn issues(&mut self) -> &mut dyn Issues;
    /// Journals of boxes.
    fn journal(&mut self) -> &mut dyn Journal;
    /// Usage of models.
    fn usage(&mut self) -> &mut dyn Ledger;
    /// Jobs.
    fn jobs(&mut self) -> &mut dyn Jobs;
    /// Replies that are kept under keys of the askers.
    fn replies(&mut self) -> &mut dyn Replies;
}

/// A piece of work over the records. It awaits nothing but them.
pub type Work =
    Box<dyn for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<(), StoreError>> + Send>;

/// Keeps records.
pub trait Store: Send + Sync {
    /// Does `work` and commits: all of it or, on any error, nothing. Returns once it is on disk.
    /// Works are done one after another; several may share one commit.
    fn write(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Does `work` over a consistent view; a change in it is an error.
    fn read(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>>;
    /// A number that is another one after each commit of this store, before that commit is
    /// answered. What was read after it was asked for holds as long as it stays the same.
    fn version(&self) -> u64;
}

/// [`Store::write`] with a value to bring back. Use as
/// `write(store, |tx| Box::pin(async move { tx.boxes().get(id).await }))`.
pub async fn write<T: Send + 'static>(
    store: &dyn Store,
    work: impl for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let (slot, boxed) = carry(work);
    store.write(boxed).await?;
    take(&slot)
}

/// [`Store::read`] with a value to bring back.
pub async fn read<T: Send + 'static>(
    store: &dyn Store,
    work: impl for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let (slot, boxed) = carry(work);
    store.read(boxed).await?;
    take(&slot)
}

type Slot<T> = std::sync::Arc<std::sync::Mutex<Option<T>>>;

fn carry<T: Send + 'static>(
    work: impl for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
) -> (Slot<T>, Work) {
    let slot = Slot::default();
    let inner = slot.clone();
    let boxed: Work = Box::new(move |tx| {
        Box::pin(async move {
            let value = work(tx).await?;
            *inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(value);
            Ok(())
        })
    });
    (slot, boxed)
}

fn take<T>(slot: &Slot<T>) -> Result<T, StoreError> {
    slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take().ok_or_else(|| {
        StoreError::Broken("the store reported success without doing the work".into())
    })
}
