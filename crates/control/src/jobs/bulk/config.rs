//! `bulk.config`: a merge patch over the configuration of each box's engine. Wakes nobody.
//!
//! The patch may hold credentials: it is sealed with the job, and neither its input nor its items nor
//! its result show more of it than the names of the keys.

use serde_json::Value;
use smartbox_core::BoxFuture;
use smartbox_core::config::{Applied, path};
use smartbox_core::smartbox::Smartbox;

use super::each::{Each, On};
use super::run::run;
use crate::config::{How, Mark, Once};
use crate::error::ControlError;
use crate::jobs::run::broken;
use crate::jobs::{Ctx, Halt, Work};

pub(super) const KIND: &str = "bulk.config";
/// So many keys of a patch are named, and so many characters of each.
const NAMED: usize = 50;
const LONG: usize = 200;

pub(super) struct Patches;

impl Work for Patches {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn pauses(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Value, Halt>> {
        Box::pin(async move {
            let lost = || Halt::Failed(broken("the patch of the job is gone".into()));
            let sealed = ctx.sealed().await?.ok_or_else(lost)?;
            let patch = serde_json::from_str(sealed.expose()).map_err(|_| lost())?;
            run(&Patch(How::Patch(patch)), ctx).await
        })
    }
}

struct Patch(How);

impl Each for Patch {
    /// A box that sleeps or is off has a configuration, too.
    fn skip(&self, _: &Smartbox) -> Option<String> {
        None
    }

    fn mark<'a>(&'a self, on: On<'a>) -> BoxFuture<'a, Result<Value, ControlError>> {
        Box::pin(async move {
            let mark = on.control.mark_config(on.actor, &on.row.id, &self.0).await?;
            Ok(serde_json::to_value(mark).unwrap_or_default())
        })
    }

    fn act<'a>(
        &'a self,
        on: On<'a>,
        mark: &'a Value,
    ) -> BoxFuture<'a, Result<String, ControlError>> {
        Box::pin(async move {
            // One that is not understood is none: another version of the platform wrote it.
            let anew = |_| ControlError::OtherConfig { digest: String::new() };
            let mark: Mark = serde_json::from_value(mark.clone()).map_err(anew)?;
            let control = on.control;
            let once = control.change_config_once(on.actor, &on.row.id, &self.0, &mark).await?;
            Ok(words(once))
        })
    }
}

fn words(once: Once) -> String {
    match once {
        Once::Same => "nothing differs".into(),
        Once::Before(revision) => format!("revision {revision}, made before this run"),
        Once::Made { revision, applied } => {
            let revision = revision.map(|n| format!("revision {n}, ")).unwrap_or_default();
            format!("{revision}{}", applied.map_or("written", in_force))
        }
    }
}

fn in_force(applied: Applied) -> &'static str {
    match applied {
        Applied::Live => "in force",
        Applied::Restarting => "the engine starts again for it",
        Applied::RestartNeeded => "in force after a reload",
        Applied::Soon => "the engine takes it up in a moment",
        Applied::OnWake => "in force when it wakes",
        Applied::AtNextStart => "in force at the next start",
    }
}

/// The places that a patch sets or removes, without what it sets.
pub(super) fn places(patch: &Value) -> Vec<String> {
    let mut found = Vec::new();
    descend("", patch, &mut found);
    found
}

fn descend(at: &str, patch: &Value, found: &mut Vec<String>) {
    match patch {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                if found.len() < NAMED {
                    descend(&path::key(at, key), value, found);
                }
            }
        }
        _ => found.push(at.chars().take(LONG).collect()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_named_without_what_is_set() {
        let patch = json!({"a": {"b": "sk-1", "c": null}, "list": [{"x": "sk-2"}], "e": {}});
        assert_eq!(places(&patch), ["a.b", "a.c", "e", "list"]);
        let many: Value = (0..1000).map(|n| (format!("{n:0500}"), json!("sk-3"))).collect();
        let named = places(&many);
        assert!(named.len() == NAMED && named.iter().all(|place| place.len() <= LONG));
    }
}
