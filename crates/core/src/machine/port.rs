//! What a driver must tell of the machine.

use crate::BoxFuture;
use crate::id::SmartboxId;
use crate::machine::{HomeUse, Machine};
use crate::sandbox::port::RuntimeError;

/// Reads gauges. Wakes nothing, changes nothing, and is cheap enough to be asked at any time.
pub trait Gauges: Send + Sync {
    /// The machine now.
    fn machine(&self) -> Machine;
    /// What a box's home holds, as measured within the last minute; nothing if there is none.
    fn home(&self, id: SmartboxId) -> BoxFuture<'_, Result<HomeUse, RuntimeError>>;
}
