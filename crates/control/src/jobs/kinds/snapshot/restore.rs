//! `snapshot.restore`: a generation in place of the home, or files and folders of it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smartbox_core::BoxFuture;
use smartbox_core::snapshot::Generation;

use super::{Tell, subject};
use crate::jobs::{Ctx, Halt, Work};

pub(super) struct Restore;

#[derive(Deserialize)]
struct Asked {
    generation: Generation,
    #[serde(default)]
    paths: Vec<String>,
}

/// What a run that is over said: so that another one does not restore again over what was done since.
#[derive(Serialize, Deserialize)]
struct Over {
    over: Value,
}

impl Work for Restore {
    fn kind(&self) -> &'static str {
        "snapshot.restore"
    }

    fn run<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Value, Halt>> {
        Box::pin(async move {
            if let Some(Over { over }) = ctx.left_off() {
                return Ok(over);
            }
            let (id, asked): (_, Asked) = (subject(ctx)?, ctx.input()?);
            let tell = Tell::default();
            let (control, actor, said) = (ctx.control(), ctx.actor(), tell.said());
            let over = if asked.paths.is_empty() {
                let meter = Some(tell.meter());
                let restored =
                    control.restore_in_place(&actor, &id, asked.generation, &*said, meter);
                let restored = tell.during(ctx, restored).await?;
                json!({ "generation": restored.generation, "undo": restored.undo })
            } else {
                let unpacked = async {
                    let mut sum = crate::files::Unpacked::default();
                    for path in &asked.paths {
                        said(&format!("restoring {path}"));
                        let one = control.restore_path(&actor, &id, asked.generation, path);
                        let one = one.await?;
                        sum.files += one.files;
                        sum.directories += one.directories;
                        sum.bytes += one.bytes;
                        sum.left_out += one.left_out;
                    }
                    Ok(sum)
                };
                let sum = tell.during(ctx, unpacked).await?;
                json!({
                    "generation": asked.generation,
                    "files": sum.files,
                    "bytes": sum.bytes,
                    "left_out": sum.left_out,
                })
            };
            ctx.checkpoint(&Over { over: over.clone() }).await?;
            Ok(over)
        })
    }
}
