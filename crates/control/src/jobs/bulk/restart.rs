//! `bulk.restart`: a new sandbox for each box, and the wait until its engine answers.

use serde_json::Value;
use smartbox_core::BoxFuture;
use smartbox_core::smartbox::{Desired, Smartbox, State};

use super::each::{Each, Once};
use crate::error::ControlError;

pub(super) struct Restart;

impl Each for Restart {
    fn kind(&self) -> &'static str {
        "bulk.restart"
    }

    /// A box without a sandbox begins anew by itself, and needs no memory for it until then.
    fn skip(&self, row: &Smartbox) -> Option<String> {
        match (row.desired, row.state) {
            (Desired::Off, _) => Some("it is turned off".into()),
            (_, State::Stopped) => Some("it is stopped: its next start is a fresh one".into()),
            _ => None,
        }
    }

    fn mark(&self, row: &Smartbox) -> Value {
        (row.restart + 1).into()
    }

    fn act<'a>(&'a self, once: Once<'a>) -> BoxFuture<'a, Result<(), ControlError>> {
        Box::pin(async move {
            let number = once.mark.as_u64().unwrap_or(once.row.restart);
            once.control.restart_once(once.actor, &once.row.id, number).await.map(drop)
        })
    }
}
