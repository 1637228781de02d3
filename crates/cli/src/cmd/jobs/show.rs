//! `smartbox jobs show`.

use serde::Serialize;
use smartbox_api::call;
use smartbox_api::job::{ItemView, JobState, JobView, Outcome, Progress};
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use super::One;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Shows where a job is, what came of it, and of a bulk each smartbox
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    one: One,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let job = or_interrupt(client.json(call::job(&args.one.id))).await?;
    let items = items(client, &job).await?;
    if args.one.json {
        return out::json(&Whole { job: &job, items: &items });
    }
    out::say(table::facts(&facts(&job)))?;
    if items.is_empty() { Ok(()) } else { out::say(format!("\n{}", listed(&items))) }
}

/// A job for programs.
#[derive(Serialize)]
pub(crate) struct Whole<'a> {
    #[serde(flatten)]
    pub(crate) job: &'a JobView,
    /// The boxes of a bulk.
    #[serde(skip_serializing_if = "<[ItemView]>::is_empty")]
    pub(crate) items: &'a [ItemView],
}

/// The boxes of a bulk.
pub(crate) async fn items(client: &Client, job: &JobView) -> Result<Vec<ItemView>, CliError> {
    or_interrupt(client.all(|page| call::job_items(job.id.as_str(), page))).await
}

/// The boxes of a bulk, a line each.
pub(crate) fn listed(items: &[ItemView]) -> String {
    let row = |item: &ItemView| {
        [item.name.clone(), item.outcome.as_str().to_owned(), item.reason.clone()]
    };
    table::table(["NAME", "OUTCOME", "REASON"], items.iter().map(row).collect())
}

fn facts(job: &JobView) -> Vec<(&'static str, String)> {
    let now = SystemClock.now();
    let mut facts = vec![
        ("job", job.id.to_string()),
        ("kind", job.kind.clone()),
        ("state", word(job)),
        ("done", progress(&job.progress)),
        ("created", age::when(now, job.created)),
    ];
    facts.extend(job.smartbox.as_ref().map(|id| ("smartbox", id.to_string())));
    facts.extend(job.finished.map(|at| ("finished", age::when(now, at))));
    facts.extend(job.expires.map(|at| ("forgotten", age::when(now, at))));
    if job.interruptions > 0 {
        facts.push(("taken up again", format!("{} times", job.interruptions)));
    }
    if let Some(failure) = &job.failure {
        facts.push(("failure", format!("{}: {}", failure.code, failure.detail)));
        facts.extend((!failure.hint.is_empty()).then(|| ("hint", failure.hint.clone())));
    }
    facts.extend(job.input.as_ref().map(|input| ("input", input.to_string())));
    facts.extend(job.result.as_ref().map(|result| ("result", result.to_string())));
    facts
}

/// A job in one line.
pub(crate) fn line(job: &JobView) -> String {
    let note = note(job);
    let rest = if note.is_empty() { String::new() } else { format!(": {note}") };
    out::tame(&format!("{} {}: {}{rest}", job.id, job.kind, word(job)))
}

fn word(job: &JobView) -> String {
    match job.state {
        JobState::Running if job.cancel_requested => "running, to be cancelled".into(),
        JobState::Running if job.pause_requested => "running, to be paused".into(),
        state => state.to_string(),
    }
}

/// How far it is, as `12/50 boxes`.
pub(crate) fn progress(progress: &Progress) -> String {
    let of = progress.total.map(|total| format!("/{total}")).unwrap_or_default();
    match progress.unit.as_str() {
        "" => String::new(),
        unit => format!("{}{of} {unit}", progress.done),
    }
}

/// What there is to say of it besides.
pub(super) fn note(job: &JobView) -> String {
    match &job.failure {
        Some(failure) => failure.detail.clone(),
        None => job.progress.note.clone(),
    }
}

/// Whether everything that was asked for was done.
pub(crate) fn good(job: &JobView, items: &[ItemView]) -> bool {
    job.state == JobState::Succeeded && items.iter().all(|item| item.outcome != Outcome::Failed)
}
