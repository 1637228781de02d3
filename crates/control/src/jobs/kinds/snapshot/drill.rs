//! `snapshot.drill`: the newest snapshot in a scratch box, which must live.

use serde_json::{Value, json};
use smartbox_core::BoxFuture;
use smartbox_core::id::SmartboxId;

use super::{Tell, subject};
use crate::jobs::{Ctx, Halt, Work};
use crate::snapshots::{DRILL, SCRATCH};

pub(super) struct Drill;

impl Work for Drill {
    fn kind(&self) -> &'static str {
        DRILL
    }

    fn run<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Value, Halt>> {
        Box::pin(async move {
            let (id, control) = (subject(ctx)?, ctx.control());
            // What a run that was cut off left.
            let left: Option<Value> = ctx.left_off();
            let left = left.and_then(|left| left.get(SCRATCH)?.as_str()?.parse().ok());
            if let Some(left) = left {
                control.clear_scratch(&left).await?;
            }
            let scratch = SmartboxId::generate(&*control.parts.entropy);
            ctx.checkpoint(&json!({ SCRATCH: scratch })).await?;
            let tell = Tell::default();
            let said = tell.said();
            let drilled = tell.during(ctx, control.drill(&id, &scratch, &*said)).await;
            // Also of one that was asked to stop.
            control.clear_scratch(&scratch).await?;
            Ok(serde_json::to_value(drilled?).unwrap_or_default())
        })
    }
}
