//! `snapshot.fork`: a new box that begins with a generation of another one.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smartbox_core::BoxFuture;
use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::Generation;

use super::{Tell, subject};
use crate::jobs::{Ctx, Halt, Work};

pub(super) struct Fork;

#[derive(Deserialize)]
struct Asked {
    generation: Option<Generation>,
    name: String,
}

/// Which box is this job's, so that a second run makes no other; and of which generation, since there may
/// be a newer one by then.
#[derive(Serialize, Deserialize)]
struct Mark {
    fork: SmartboxId,
    generation: Generation,
}

impl Work for Fork {
    fn kind(&self) -> &'static str {
        "snapshot.fork"
    }

    fn run<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Value, Halt>> {
        Box::pin(async move {
            let (id, asked): (_, Asked) = (subject(ctx)?, ctx.input()?);
            let mark = match ctx.left_off() {
                Some(mark) => mark,
                None => {
                    let record = ctx.control().generation(&id, asked.generation).await?;
                    let mark = Mark {
                        fork: SmartboxId::generate(&*ctx.control().parts.entropy),
                        generation: record.generation,
                    };
                    ctx.checkpoint(&mark).await?;
                    mark
                }
            };
            let tell = Tell::default();
            tell.said()("restoring into the new smartbox");
            let (actor, fork) = (ctx.actor(), (&mark.fork, asked.name.as_str()));
            let forked = ctx.control().fork_snapshot(&actor, &id, Some(mark.generation), fork);
            let (row, generation) = tell.during(ctx, forked).await?;
            Ok(json!({ "smartbox": row.id, "name": row.name, "generation": generation }))
        })
    }
}
