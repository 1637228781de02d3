//! An edit of the configuration is taken up by a running engine, and a bad one is not.

use std::time::Duration;

use serde_json::{Value, json};
use smartbox_core::config::Taken;
use smartbox_core::config::merge::merge;
use smartbox_core::config::port::Configs;
use tokio::time::timeout;

use super::checks::{ask, ensure, must, turn};
use super::{Failure, Process};
use crate::openclaw::OpenClawConfigs;

pub(super) async fn edits_are_taken_up(process: &Process) -> Result<(), Failure> {
    let primary =
        |model: &str| json!({ "agents": { "defaults": { "model": { "primary": model } } } });
    edit(process, primary("platform/check/other")).await?;
    until(process, "an edit", |taken| *taken == Taken::Yes).await?;
    answers_by(process, "check/other").await?;
    edit(process, json!({ "noSuchKey": 1 })).await?;
    let named = |taken: &Taken| match taken {
        Taken::Refused(faults) => format!("{faults:?}").contains("noSuchKey"),
        _ => false,
    };
    until(process, "a bad edit", named).await?;
    ask(process, &turn("main", "key-bad", "word-bad")).await?;
    edit(process, json!({ "noSuchKey": null })).await?;
    until(process, "a mended edit", |taken| *taken == Taken::Yes).await?;
    edit(process, primary("platform/check/model")).await?;
    until(process, "the last edit", |taken| *taken == Taken::Yes).await?;
    answers_by(process, "check/model").await
}

/// Waits until turns go to this model. The engine says that it has read an edit before it works by it:
/// a turn in between may go to the model before, or fail.
async fn answers_by(process: &Process, model: &str) -> Result<(), Failure> {
    let mut asked = None;
    let asking = async {
        for n in 0_u32.. {
            let word = format!("word-of-{}-{n}", model.replace('/', "-"));
            let answered = ask(process, &turn("main", &format!("key-{word}"), &word)).await;
            asked = process.model.asked_for(&word);
            if answered.is_ok() && asked.as_deref() == Some(model) {
                return;
            }
        }
    };
    let late = timeout(process.patience(), asking).await.is_err();
    ensure(!late, || format!("after the edit to {model} the model was {asked:?}"))
}

/// Changes the file as the platform does: the patch, then the platform's part.
async fn edit(process: &Process, patch: Value) -> Result<(), Failure> {
    let change = |bytes: Vec<u8>| {
        let mut doc: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        merge(&mut doc, patch);
        doc.to_string().into_bytes()
    };
    process.configure(change).await?;
    Ok(process.configure(|bytes| bytes).await?)
}

async fn until(
    process: &Process,
    what: &str,
    wanted: impl Fn(&Taken) -> bool,
) -> Result<(), Failure> {
    let configs = OpenClawConfigs::puppet(process.engine.clone());
    let dial = process.dial();
    let waiting = async {
        loop {
            // It has no event for this that a program without a page gets.
            let taken = must("asking for the configuration", configs.taken(&*dial).await)?;
            if wanted(&taken) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let late = |_| Failure::new(format!("{what} is not seen"));
    timeout(process.patience(), waiting).await.map_err(late)?
}
