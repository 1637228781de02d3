//! `snapshot.verify`: reads one generation back, or every one.

use serde::Deserialize;
use serde_json::{Value, json};
use smartbox_core::BoxFuture;
use smartbox_core::snapshot::Generation;

use super::{Tell, subject};
use crate::jobs::{Ctx, Halt, Work};

pub(super) struct Verify;

#[derive(Deserialize)]
struct Asked {
    generation: Option<Generation>,
}

impl Work for Verify {
    fn kind(&self) -> &'static str {
        "snapshot.verify"
    }

    fn run<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Value, Halt>> {
        Box::pin(async move {
            let (id, asked): (_, Asked) = (subject(ctx)?, ctx.input()?);
            let tell = Tell::default();
            tell.said()("reading back");
            let verified = ctx.control().verify_snapshots(&id, asked.generation);
            Ok(json!({ "snapshots": tell.during(ctx, verified).await?.snapshots }))
        })
    }
}
