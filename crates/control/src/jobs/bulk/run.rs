//! One run of a bulk.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};
use smartbox_core::id::SmartboxId;
use smartbox_core::job::{Item, JobFailure, Outcome, Progress};
use smartbox_core::store::StoreError;
use tokio::time::Instant;

use super::Pace;
use super::each::{Each, On};
use crate::error::ControlError;
use crate::jobs::failure::failure;
use crate::jobs::{Ctx, Halt};

/// Times that a box is marked anew because something else stands there than was marked.
const TRIES: usize = 4;
/// The longest reason of one box, in characters.
const MAX_REASON: usize = 300;

/// How many boxes are where.
#[derive(Default)]
struct Counts {
    ok: u64,
    failed: u64,
    skipped: u64,
}

impl Counts {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Ok => self.ok += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Skipped => self.skipped += 1,
            Outcome::Waiting | Outcome::Running => {}
        }
    }

    fn result(&self) -> Value {
        json!({ "ok": self.ok, "failed": self.failed, "skipped": self.skipped })
    }

    /// What a person reads beside the state of the job: that it came to its end says nothing of the boxes.
    fn note(&self, item: &Item) -> String {
        let last = format!("{}: {}", item.name, item.outcome.as_str());
        match self.failed {
            0 => last,
            failed => format!("{failed} failed; last {last}"),
        }
    }

    fn progress(&self, total: usize, note: String) -> Progress {
        let total = Some(u64::try_from(total).unwrap_or(u64::MAX));
        let done = self.ok + self.failed + self.skipped;
        Progress { done, total, unit: "boxes".into(), note }
    }
}

pub(super) async fn run(each: &impl Each, ctx: &Ctx) -> Result<Value, Halt> {
    let pace: Pace = ctx.input()?;
    let (mut counts, total, mut waiting) = left(ctx.items().await?);
    let pause = Duration::from_millis(pace.delay_ms);
    let most = usize::try_from(pace.concurrency).unwrap_or(1).max(1);
    let mut running = FuturesUnordered::new();
    let mut next_begin = Instant::now();
    let mut closed = false;
    ctx.progress(counts.progress(total, String::new())).await?;
    loop {
        closed |= ctx.stopping().is_cancelled();
        let may_begin = !closed && running.len() < most && !waiting.is_empty();
        if running.is_empty() && !may_begin {
            break;
        }
        tokio::select! {
            biased;
            () = ctx.cancelled().cancelled() => break,
            () = ctx.stopping().cancelled(), if !closed => closed = true,
            Some(done) = running.next() => {
                let item: Item = done?;
                counts.add(item.outcome);
                closed |= item.outcome == Outcome::Failed && pace.stop_on_failure;
                let note = counts.note(&item);
                ctx.progress(counts.progress(total, note)).await?;
            }
            () = tokio::time::sleep_until(next_begin), if may_begin => {
                if let Some(item) = waiting.pop_front() {
                    running.push(one(each, ctx, item));
                    next_begin = Instant::now() + pause;
                }
            }
        }
    }
    drop(running);
    over(ctx, &mut counts).await
}

/// What is done already, how many there are in all, and what is left: first what was begun.
fn left(items: Vec<Item>) -> (Counts, usize, VecDeque<Item>) {
    let total = items.len();
    let mut counts = Counts::default();
    items.iter().for_each(|item| counts.add(item.outcome));
    let (begun, fresh): (Vec<_>, Vec<_>) = items
        .into_iter()
        .filter(|item| !item.outcome.is_final())
        .partition(|item| item.outcome == Outcome::Running);
    (counts, total, begun.into_iter().chain(fresh).collect())
}

/// Why the loop ended: everything is done, or it was told to stop, or a box failed.
async fn over(ctx: &Ctx, counts: &mut Counts) -> Result<Value, Halt> {
    let mut left: Vec<_> =
        ctx.items().await?.into_iter().filter(|item| !item.outcome.is_final()).collect();
    if left.is_empty() {
        return Ok(counts.result());
    }
    let cancelled = ctx.cancelled().is_cancelled();
    if ctx.stopping().is_cancelled() && !cancelled {
        return Err(Halt::Stopped(None));
    }
    let now = ctx.now();
    for item in &mut left {
        (item.outcome, item.reason) = match (item.outcome, cancelled) {
            (Outcome::Running, _) => {
                (Outcome::Failed, "cancelled before it was seen to be done".to_owned())
            }
            (_, true) => (Outcome::Skipped, "cancelled before it was begun".to_owned()),
            (_, false) => (Outcome::Skipped, "another one failed before".to_owned()),
        };
        item.at = now;
        counts.add(item.outcome);
    }
    ctx.put_items(left).await?;
    if cancelled {
        return Err(Halt::Stopped(Some(counts.result())));
    }
    Err(Halt::Failed(JobFailure {
        code: "stopped-on-failure".into(),
        detail: format!("a smartbox failed; {} were done before", counts.ok),
        hint: "the items of the job say which, and why".into(),
    }))
}

/// How a box's turn ended, and what there is to say of it.
type Ended = (Outcome, String);

/// One box: as it is to be, or the reason why not, and both written down.
async fn one(each: &impl Each, ctx: &Ctx, mut item: Item) -> Result<Item, Halt> {
    let (outcome, reason) = match attempt(each, ctx, &mut item).await? {
        Ok(ended) => ended,
        Err(error) => {
            let said = failure(&error);
            (Outcome::Failed, format!("{}: {}", said.code, said.detail))
        }
    };
    item.outcome = outcome;
    item.reason = reason.chars().take(MAX_REASON).collect();
    item.at = ctx.now();
    ctx.put_items(vec![item.clone()]).await?;
    Ok(item)
}

/// The outer error ends the run, the inner one is this box's.
async fn attempt(
    each: &impl Each,
    ctx: &Ctx,
    item: &mut Item,
) -> Result<Result<Ended, ControlError>, Halt> {
    let missing = || ControlError::Missing { what: "smartbox" };
    let Ok(id) = item.subject.parse::<SmartboxId>() else { return Ok(Err(missing())) };
    let row = match ctx.control().row(&id).await {
        Ok(Some(row)) if !row.removing => row,
        Ok(_) => return Ok(Ok((Outcome::Skipped, "it is gone".into()))),
        Err(error) => return heed(error.into()),
    };
    let actor = ctx.actor();
    let on = On { control: ctx.control(), actor: &actor, row: &row };
    // Begun before: whatever it looks like now is on the way.
    let mut marked = item.outcome == Outcome::Running;
    if !marked && let Some(why) = each.skip(&row) {
        return Ok(Ok((Outcome::Skipped, why)));
    }
    for _ in 0..TRIES {
        if !marked {
            item.checkpoint = match each.mark(on).await {
                Ok(mark) => mark,
                // Changed while it was looked at.
                Err(ControlError::OtherConfig { .. }) => continue,
                Err(error) => return heed(error),
            };
            item.outcome = Outcome::Running;
            item.at = ctx.now();
            ctx.put_items(vec![item.clone()]).await?;
        }
        match each.act(on, &item.checkpoint).await {
            Ok(said) => return Ok(Ok((Outcome::Ok, said))),
            Err(ControlError::OtherConfig { .. }) => marked = false,
            Err(error) => return heed(error),
        }
    }
    Ok(Err(ControlError::NotNow {
        why: "it changes faster than it can be changed".into(),
        hint: "look at what the assistant does with it".into(),
    }))
}

/// Ends the run with the platform; else it is this box's error.
fn heed<T>(error: ControlError) -> Result<Result<T, ControlError>, Halt> {
    match error {
        ControlError::Draining | ControlError::Store(StoreError::Fenced) => Err(Halt::Lost),
        other => Ok(Err(other)),
    }
}
