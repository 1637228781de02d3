//! `snapshot.take`: a snapshot on demand.

use serde_json::{Value, json};
use smartbox_core::BoxFuture;
use smartbox_core::snapshot::record::Why;

use super::{Tell, subject};
use crate::error::ControlError;
use crate::jobs::{Ctx, Halt, Work};

pub(super) struct Take;

impl Work for Take {
    fn kind(&self) -> &'static str {
        "snapshot.take"
    }

    /// A run that was cut off is followed by another take: one more snapshot does no harm.
    fn run<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Value, Halt>> {
        Box::pin(async move {
            let id = subject(ctx)?;
            let tell = Tell::default();
            tell.said()("taking a snapshot");
            let taken = ctx.control().take_snapshot(&id, Why::Asked, Some(tell.meter()));
            let record = tell.during(ctx, taken).await?.ok_or_else(|| ControlError::NotNow {
                why: "the smartbox has no home yet".into(),
                hint: "it gets one with its first start".into(),
            })?;
            Ok(json!({
                "generation": record.generation,
                "snapshot": record.snapshot,
                "files": record.files,
                "bytes": record.bytes,
                "added": record.added,
            }))
        })
    }
}
