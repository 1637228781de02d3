//! What the edge asks of the control room.

use std::time::Duration;

use crate::BoxFuture;
use crate::id::SmartboxId;
use crate::route::Route;
use crate::sandbox::port::Conn;
use crate::smartbox::{Failure, State};
use crate::store::StoreError;

/// Why a box does not answer.
#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    /// There is no such box.
    #[error("there is no such smartbox")]
    Missing,
    /// Its owner turned it off.
    #[error("this smartbox is turned off")]
    Off,
    /// It failed, and says why.
    #[error("{}", .0.message)]
    Failed(Failure),
    /// It is still on its way.
    #[error("this smartbox is still {state}")]
    Late {
        /// Where it was when the deadline came.
        state: State,
    },
    /// The platform is going down.
    #[error("the platform is shutting down")]
    Draining,
    /// Records could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds boxes and wakes them.
pub trait Resolve: Send + Sync {
    /// The box with this host label. Wakes nothing.
    fn route<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Option<Route>, StoreError>>;
    /// Wakes the box if need be, and returns once its engine answers. Many callers, one wake.
    fn wake(&self, id: SmartboxId, within: Duration) -> BoxFuture<'_, Result<(), WakeError>>;
    /// Begins to wake the box and returns at once.
    fn nudge(&self, id: SmartboxId) -> BoxFuture<'_, Result<(), WakeError>>;
    /// Connects to the engine of a running box.
    fn dial(&self, id: SmartboxId) -> BoxFuture<'_, Result<Conn, WakeError>>;
    /// Whether the box's engine is being ended so that the box can sleep, for sockets that lose
    /// their engine just then.
    fn leaving(&self, id: &SmartboxId) -> bool;
    /// Waits until the box's state is another than `seen`, and says which; for sockets held over a sleep.
    fn changed(&self, id: SmartboxId, seen: State) -> BoxFuture<'_, Result<State, StoreError>>;
}
