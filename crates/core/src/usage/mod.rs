//! What model calls used.

pub mod port;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::SmartboxId;
use crate::time::Timestamp;

/// One model call, as its provider reported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Which box called.
    pub smartbox: SmartboxId,
    /// Which provider answered, by its configured name.
    pub provider: String,
    /// The model that was asked for.
    pub model: String,
    /// Tokens read, uncached.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Tokens read from the provider's cache.
    pub cache_read: u64,
    /// Tokens written to the provider's cache.
    pub cache_write: u64,
    /// The HTTP status that the box got.
    pub status: u16,
    /// When the call began.
    pub at: Timestamp,
    /// Milliseconds until its last byte.
    pub took_ms: u64,
}

/// The sum over some calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = UsageTotal)]
pub struct Total {
    /// How many calls.
    pub calls: u64,
    /// Tokens read, all kinds.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
}
