//! How things stand with a smartbox, for everybody who waits for it.

use smartbox_core::smartbox::{Failure, Smartbox, State};

/// A glance at a smartbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Now {
    /// As in the row.
    pub(crate) state: State,
    /// Why it failed, as in the row.
    pub(crate) failure: Option<Failure>,
    /// The engine answers at this moment.
    pub(crate) ready: bool,
    /// The engine is being ended so that the box can sleep.
    pub(crate) leaving: bool,
    /// What is being done, in one short phrase.
    pub(crate) phase: String,
    /// Nothing is left to do for the wishes seen so far.
    pub(crate) settled: bool,
    /// Something that the owner should know.
    pub(crate) notice: Option<String>,
    /// The box is removed.
    pub(crate) gone: bool,
}

impl Now {
    pub(crate) fn of(row: &Smartbox) -> Self {
        Self {
            state: row.state,
            failure: row.failure.clone(),
            ready: false,
            leaving: false,
            phase: String::new(),
            settled: false,
            notice: None,
            gone: false,
        }
    }

    /// Whether a request can be handed to the engine now.
    pub(crate) fn answers(&self) -> bool {
        self.ready && self.state == State::Running
    }
}

impl Default for Now {
    fn default() -> Self {
        Self {
            state: State::Stopped,
            failure: None,
            ready: false,
            leaving: false,
            phase: String::new(),
            settled: false,
            notice: None,
            gone: true,
        }
    }
}
