//! What an engine adapter must do.

use std::sync::Arc;

use crate::engine::{
    Configured, Conversation, Health, HistoryEntry, Manifest, Part, Settings, Suspended, Turn,
    TurnEvent,
};
use crate::sandbox::port::{Dial, RuntimeError};
use crate::time::Timestamp;
use crate::{BoxFuture, BoxStream};

/// Why the engine did not do what it was asked. Each variant is a different thing to do.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It could not be reached: look at the sandbox.
    #[error("the engine cannot be reached")]
    Unreachable(#[from] RuntimeError),
    /// It is starting, draining or suspended: ask again.
    #[error("the engine is not ready: {why}")]
    NotReady {
        /// Its own word.
        why: String,
        /// When to ask again, in milliseconds.
        retry_after_ms: u64,
    },
    /// The connection ended in the middle: what was asked may or may not have been done.
    #[error("the connection to the engine ended")]
    Interrupted,
    /// It refused, and will again.
    #[error("the engine refused: {why}")]
    Refused {
        /// Its own words.
        why: String,
    },
    /// It is older than the adapter's floor.
    #[error("the engine is version {found}; at least {floor} is needed")]
    TooOld {
        /// The version found.
        found: String,
        /// The lowest that will do.
        floor: String,
    },
    /// It said something that the adapter does not understand.
    #[error("the engine's answer is not understood: {what}")]
    Garbled {
        /// What was wrong with it.
        what: String,
    },
}

impl EngineError {
    /// Whether it passes by itself, as while the engine starts again.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::NotReady { .. } | Self::Interrupted)
    }
}

/// Speaks to one kind of engine.
pub trait Engine: Send + Sync {
    /// Its manifest.
    fn manifest(&self) -> &Manifest;
    /// Merges the platform's part into the owner's configuration. Pure.
    fn configure(&self, current: Option<&[u8]>, settings: &Settings) -> Configured;
    /// Whether it can work. Changes nothing, wakes nobody.
    fn health<'a>(&'a self, dial: &'a dyn Dial) -> BoxFuture<'a, Result<Health, EngineError>>;
    /// Gives it a message and streams what happens. Dropping the stream does not end the turn.
    /// A message that it knows by this idempotency key begins no second turn, whatever was killed in
    /// between: its answer is told, or why it failed, or the turn that is at work is joined.
    fn chat(
        &self,
        dial: Arc<dyn Dial>,
        turn: Turn,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Result<TurnEvent, EngineError>>, EngineError>>;
    /// The newest entries of a conversation, at most `limit`, oldest first.
    fn history<'a>(
        &'a self,
        dial: &'a dyn Dial,
        session: &'a str,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<HistoryEntry>, EngineError>>;
    /// Asks it to hold still. The same `request` renews the lease.
    fn suspend<'a>(
        &'a self,
        dial: &'a dyn Dial,
        request: &'a str,
    ) -> BoxFuture<'a, Result<Suspended, EngineError>>;
    /// Ends the suspension; ending one that is over succeeds.
    fn resume<'a>(
        &'a self,
        dial: &'a dyn Dial,
        lease: &'a str,
    ) -> BoxFuture<'a, Result<(), EngineError>>;
    /// When its own clock wants it awake next.
    fn next_wake<'a>(
        &'a self,
        dial: &'a dyn Dial,
    ) -> BoxFuture<'a, Result<Option<Timestamp>, EngineError>>;
}

/// Reads what an engine remembers. The cursors are the engine's own and come back from outside: one
/// that is not understood is [`EngineError::Refused`].
pub trait Conversations: Send + Sync {
    /// Its conversations, the newest first.
    fn list<'a>(
        &'a self,
        dial: &'a dyn Dial,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Part<Conversation>, EngineError>>;
    /// Entries of a conversation, oldest first: those before a place, or the newest.
    fn page<'a>(
        &'a self,
        dial: &'a dyn Dial,
        session: &'a str,
        before: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Part<HistoryEntry>, EngineError>>;
}
