//! What a store must do for revisions, and an engine for its configuration.

use std::sync::Arc;

use serde_json::Value;

use crate::BoxFuture;
use crate::config::{Fault, Revision, Taken};
use crate::engine::port::EngineError;
use crate::id::SmartboxId;
use crate::sandbox::port::Dial;
use crate::secret::Secret;
use crate::store::StoreError;

/// A revision and its document.
pub type Opened = (Revision, Secret<String>);

/// The revisions within one unit of work. Documents may hold credentials of the owner's: they are
/// kept as secrets are.
pub trait Revisions: Send {
    /// Adds a revision under the next number of its box, which is answered (the one given is not
    /// looked at), and forgets all but the newest `keep`.
    fn add(
        &mut self,
        revision: Revision,
        document: Secret<String>,
        keep: u32,
    ) -> BoxFuture<'_, Result<u64, StoreError>>;
    /// Revisions of a box, newest first: those before a number, or the newest.
    fn list(
        &mut self,
        smartbox: SmartboxId,
        before: Option<u64>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Revision>, StoreError>>;
    /// One revision with its document.
    fn open(
        &mut self,
        smartbox: SmartboxId,
        seq: u64,
    ) -> BoxFuture<'_, Result<Option<Opened>, StoreError>>;
    /// Notes why the engine refused to start with a revision.
    fn refuse(
        &mut self,
        smartbox: SmartboxId,
        seq: u64,
        why: String,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// The engine's schema cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("the engine's schema cannot be read: {0}")]
pub struct NoSchema(pub String);

/// What is known of an engine's configuration without the engine.
pub trait Configs: Send + Sync {
    /// Reads a file: bounded, since the box writes it. The error is for the owner.
    fn read(&self, bytes: &[u8]) -> Result<Value, String>;
    /// A document without what is the platform's, and without what the platform would write anyway.
    fn owners(&self, document: &Value) -> Value;
    /// The keys that are the platform's, whatever the owner writes.
    fn platforms(&self) -> Vec<String>;
    /// A patch in the engine's own words: the shorthand `model` becomes the key that is meant.
    fn meant(&self, document: &Value, patch: Value) -> Value;
    /// An effective document without the credentials that the platform wrote into it.
    fn masked(&self, effective: Value) -> Value;
    /// What the engine's schema does not allow in an effective document.
    fn check(&self, effective: Value) -> BoxFuture<'_, Result<Vec<Fault>, NoSchema>>;
    /// The engine's schema, as the engine tells it.
    fn schema(&self) -> BoxFuture<'_, Result<Arc<[u8]>, NoSchema>>;
    /// Whether the engine, which must run, has taken up what the file says now.
    fn taken<'a>(&'a self, dial: &'a dyn Dial) -> BoxFuture<'a, Result<Taken, EngineError>>;
}
