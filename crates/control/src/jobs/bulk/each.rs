//! What a bulk does to one box.

use std::sync::Arc;

use serde_json::Value;
use smartbox_core::BoxFuture;
use smartbox_core::smartbox::Smartbox;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// What is done to each box.
pub(super) trait Each: Send + Sync {
    /// Why nothing is to be done to this box, if so.
    fn skip(&self, row: &Smartbox) -> Option<String>;

    /// What a second try will need to do it only once. Changes nothing.
    fn mark<'a>(&'a self, on: On<'a>) -> BoxFuture<'a, Result<Value, ControlError>>;

    /// Does it, waits until it is true, and says what a person may want to know of it. A second try
    /// comes with the same mark. [`ControlError::OtherConfig`]: nothing was done, and the mark is of
    /// something that is no longer there.
    fn act<'a>(
        &'a self,
        on: On<'a>,
        mark: &'a Value,
    ) -> BoxFuture<'a, Result<String, ControlError>>;
}

/// One box's turn.
#[derive(Clone, Copy)]
pub(super) struct On<'a> {
    pub(super) control: &'a Arc<Control>,
    pub(super) actor: &'a Actor,
    pub(super) row: &'a Smartbox,
}
