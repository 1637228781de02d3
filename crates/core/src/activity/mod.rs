//! What keeps a box awake: requests, turns, executions, terminals, uploads, model calls.

use crate::id::SmartboxId;

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doing {
    /// An HTTP request of a person.
    Request,
    /// A message is being answered.
    Message,
    /// A command runs.
    Exec,
    /// A model call is in flight.
    ModelCall,
    /// A file is on its way.
    Transfer,
}

/// Keeps the box awake until dropped.
pub trait Busy: Send + Sync {}

/// Counts what is going on.
pub trait Activity: Send + Sync {
    /// Something begins; it ends when the value is dropped.
    fn begin(&self, id: &SmartboxId, doing: Doing) -> Box<dyn Busy>;
    /// A person did something just now.
    fn touch(&self, id: &SmartboxId);
}
