//! `snapshot.prune`: removes what is no longer kept.

use serde_json::{Value, json};
use smartbox_core::BoxFuture;

use super::{Tell, subject};
use crate::jobs::{Ctx, Halt, Work};

pub(super) struct Prune;

impl Work for Prune {
    fn kind(&self) -> &'static str {
        "snapshot.prune"
    }

    fn run<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Value, Halt>> {
        Box::pin(async move {
            let id = subject(ctx)?;
            let tell = Tell::default();
            tell.said()("removing what is no longer kept");
            let control = ctx.control();
            let pruned = async {
                control.note_act(&ctx.actor(), &id, "snapshot.prune", String::new()).await?;
                let pruned = control.prune_snapshots(&id).await?;
                Ok((pruned, control.archive(&id).await?.generations.len()))
            };
            let (pruned, kept) = tell.during(ctx, pruned).await?;
            Ok(json!({ "snapshots": pruned.snapshots, "bytes": pruned.bytes, "kept": kept }))
        })
    }
}
