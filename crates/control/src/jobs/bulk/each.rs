//! What a bulk does to one box.

use std::sync::Arc;

use serde_json::Value;
use smartbox_core::BoxFuture;
use smartbox_core::smartbox::Smartbox;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// What is done to each box.
pub(super) trait Each: Send + Sync + 'static {
    /// The kind of the whole, as `bulk.verb`.
    fn kind(&self) -> &'static str;

    /// Why nothing is to be done to this box, if so.
    fn skip(&self, row: &Smartbox) -> Option<String>;

    /// What a second try will need to do it only once.
    fn mark(&self, row: &Smartbox) -> Value;

    /// Does it, and waits until it is true. A second try comes with the same mark.
    fn act<'a>(&'a self, once: Once<'a>) -> BoxFuture<'a, Result<(), ControlError>>;
}

/// One box's turn.
pub(super) struct Once<'a> {
    pub(super) control: &'a Arc<Control>,
    pub(super) actor: &'a Actor,
    pub(super) row: &'a Smartbox,
    pub(super) mark: &'a Value,
}
