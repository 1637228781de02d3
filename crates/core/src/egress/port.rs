//! What the broker is asked, and what it asks.

use std::sync::Arc;

use super::{Bound, Held, Kept, Policy, Refusal, Scope, Shape, Spent, Standins, Use};
use crate::BoxFuture;
use crate::id::{EgressRuleId, SmartboxId};
use crate::sandbox::Program;
use crate::sandbox::port::Incoming;
use crate::secret::{self, Secret};
use crate::store::StoreError;
use crate::time::Timestamp;

/// A certificate authority of one box: what the box trusts where its TLS is opened. It lives as long as
/// the sandbox; its key never enters it.
#[derive(Clone)]
pub struct Authority {
    /// The certificate, in PEM (RFC 7468).
    pub certificate: String,
    /// Its key, in PEM.
    pub key: Secret<String>,
}

/// Carries what a box sends out.
pub trait Egress: Send + Sync {
    /// Makes the authority of a new sandbox.
    fn authority(&self) -> Result<Authority, BoxError>;
    /// Serves one connection that something in a box made to its proxy, until it closes.
    fn serve(&self, id: SmartboxId, call: Incoming) -> BoxFuture<'static, ()>;
    /// Serves one connection on which something in a box asks for names (DNS over TCP, RFC 7766), until
    /// it closes.
    fn serve_names(&self, id: SmartboxId, call: Incoming) -> BoxFuture<'static, ()>;
    /// Forgets a box that is removed.
    fn forget(&self, id: &SmartboxId);
}

/// Something of a library's.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What counts for a box at this moment.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its name, for advice.
    pub name: String,
    /// What it may reach.
    pub policy: Arc<Policy>,
    /// What it holds in place of secrets.
    pub standins: Arc<Standins>,
    /// Tells this moment's policy from another's.
    pub version: u64,
}

/// Knows the policies.
pub trait Rules: Send + Sync {
    /// What counts for a box now. A box that there is not is an error.
    fn standing<'a>(&'a self, id: &'a SmartboxId) -> BoxFuture<'a, Result<Standing, StoreError>>;
    /// Waits until another version counts.
    fn changed(&self, id: SmartboxId, version: u64) -> BoxFuture<'static, ()>;
    /// The authority of the box's sandbox; none if its sandbox has none.
    fn authority<'a>(
        &'a self,
        id: &'a SmartboxId,
    ) -> BoxFuture<'a, Result<Option<Authority>, StoreError>>;
    /// Uses up an entry that is for one connection; false if it was used before.
    fn take<'a>(
        &'a self,
        id: &'a SmartboxId,
        entry: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;
    /// What the account says that a box sent and fetched today, with all that was noted so far.
    fn spent<'a>(&'a self, id: &'a SmartboxId) -> BoxFuture<'a, Result<Spent, StoreError>>;
}

/// What became of an attempt to leave. No path, no query, no header, no body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Which box.
    pub smartbox: SmartboxId,
    /// The host as it was asked for, cut and printable.
    pub host: String,
    /// The port; 0 if there was none: a question about the host's name, or nothing that could be read.
    pub port: u16,
    /// Which program asked, where that is known.
    pub by: Option<Program>,
    /// What happened.
    pub what: Happening,
}

/// What happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// It was let out.
    Opened,
    /// Bytes went over it since the last such word.
    Moved {
        /// Towards the host.
        up: u64,
        /// Towards the box.
        down: u64,
    },
    /// A secret of this name went with a request.
    Secret(String),
    /// It was not let out, or was cut.
    Refused(Refusal),
}

/// Takes account. It must not block.
pub trait Witness: Send + Sync {
    /// Takes note.
    fn note(&self, passage: Passage);
}

/// The rules within one unit of work.
pub trait EgressRules: Send {
    /// Adds one.
    fn add(&mut self, kept: Kept) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Those of an account or a box, in the order in which they were added. What has ended is among them.
    fn list(&mut self, scope: Scope) -> BoxFuture<'_, Result<Vec<Kept>, StoreError>>;
    /// Removes one; whether it was there.
    fn remove(&mut self, scope: Scope, id: EgressRuleId)
    -> BoxFuture<'_, Result<bool, StoreError>>;
    /// Removes those that had ended before then; how many.
    fn sweep(&mut self, before: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>>;
}

/// The account of what left, within one unit of work.
pub trait EgressUses: Send {
    /// Adds to what is known of the same box, day, host and port. Of boxes that are gone nothing is kept.
    fn add(&mut self, uses: Vec<Use>) -> BoxFuture<'_, Result<(), StoreError>>;
    /// What a box did since the day of `since`, the last of it first.
    fn list(
        &mut self,
        id: SmartboxId,
        since: Timestamp,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Use>, StoreError>>;
    /// Removes days before then, and of each box and day all but the `most` that happened last; how many.
    fn sweep(&mut self, before: Timestamp, most: u32) -> BoxFuture<'_, Result<u64, StoreError>>;
}

/// How secrets are used by placeholder, within one unit of work.
pub trait Bindings: Send {
    /// Binds a secret that is there, replacing how it was bound.
    fn set(
        &mut self,
        scope: secret::Scope,
        name: String,
        bound: Bound,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The secrets of exactly this scope that are bound, by name. Without its secret nothing is bound.
    fn list(
        &mut self,
        scope: secret::Scope,
    ) -> BoxFuture<'_, Result<Vec<(String, Bound)>, StoreError>>;
    /// Unbinds one; whether it was bound.
    fn remove(
        &mut self,
        scope: secret::Scope,
        name: String,
    ) -> BoxFuture<'_, Result<bool, StoreError>>;
    /// Gives a box a placeholder of this shape, in place of another for the same secret.
    fn hold(
        &mut self,
        id: SmartboxId,
        held: Held,
        shape: Shape,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The placeholders that a box was ever given, by the names of their secrets.
    fn held(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Vec<(Held, Shape)>, StoreError>>;
}
