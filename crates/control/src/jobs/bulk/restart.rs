//! `bulk.restart`: a new sandbox for each box, and the wait until its engine answers.

use serde_json::Value;
use smartbox_core::BoxFuture;
use smartbox_core::smartbox::{Desired, Smartbox, State};

use super::each::{Each, On};
use super::run::run;
use crate::error::ControlError;
use crate::jobs::{Ctx, Halt, Work};

pub(super) const KIND: &str = "bulk.restart";

pub(super) struct Restart;

impl Work for Restart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn pauses(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Value, Halt>> {
        Box::pin(run(self, ctx))
    }
}

impl Each for Restart {
    /// A box without a sandbox begins anew by itself, and needs no memory for it until then.
    fn skip(&self, row: &Smartbox) -> Option<String> {
        match (row.desired, row.state) {
            (Desired::Off, _) => Some("it is turned off".into()),
            (_, State::Stopped) => Some("it is stopped: its next start is a fresh one".into()),
            _ => None,
        }
    }

    fn mark<'a>(&'a self, on: On<'a>) -> BoxFuture<'a, Result<Value, ControlError>> {
        Box::pin(async move { Ok((on.row.restart + 1).into()) })
    }

    fn act<'a>(
        &'a self,
        on: On<'a>,
        mark: &'a Value,
    ) -> BoxFuture<'a, Result<String, ControlError>> {
        Box::pin(async move {
            let number = mark.as_u64().unwrap_or(on.row.restart);
            on.control.restart_once(on.actor, &on.row.id, number).await?;
            Ok(String::new())
        })
    }
}
