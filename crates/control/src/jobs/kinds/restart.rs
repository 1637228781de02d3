//! `box.restart`: a new sandbox for a box, and the wait until its engine answers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smartbox_core::BoxFuture;

use crate::error::ControlError;
use crate::jobs::{Ctx, Halt, Work};

pub(super) struct Restart;

/// Which restart is this job's: so that a second run waits for it and asks for no other.
#[derive(Serialize, Deserialize)]
struct Mark {
    restart: u64,
}

impl Work for Restart {
    fn kind(&self) -> &'static str {
        "box.restart"
    }

    fn run<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Value, Halt>> {
        Box::pin(async move {
            let missing = ControlError::Missing { what: "smartbox" };
            let id = ctx.job().smartbox.clone().ok_or(missing)?;
            let mark = match ctx.left_off() {
                Some(mark) => mark,
                None => {
                    let mark = Mark { restart: ctx.control().next_restart(&id).await? };
                    ctx.checkpoint(&mark).await?;
                    mark
                }
            };
            let actor = ctx.actor();
            let restarted = ctx.control().restart_once(&actor, &id, mark.restart);
            let row = ctx.unless_stopped(restarted).await??;
            Ok(json!({ "state": row.state, "starts": row.epoch }))
        })
    }
}
