//! Tiers on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A tier: how much of the machine a smartbox may use. Zero means without limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TierView {
    /// Its name.
    pub name: String,
    /// Thousandths of a processor.
    pub cpu_millis: u32,
    /// Bytes of memory for the engine and everything it starts.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub pids: u32,
    /// Bytes in the home.
    pub disk_bytes: u64,
    /// That of smartboxes that ask for none.
    pub default: bool,
}
