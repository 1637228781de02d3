//! What tells of the machine.

use crate::host::HostMemory;

/// Tells of the machine. Asked at every start, so it answers at once.
pub trait Host: Send + Sync {
    /// Its memory; `None` where that cannot be told.
    fn memory(&self) -> Option<HostMemory>;
}
