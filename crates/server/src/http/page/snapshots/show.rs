//! `GET /boxes/{name}/snapshots`. Wakes nothing, and asks the records alone.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use smartbox_core::job::Job;
use smartbox_core::job::port::Filter;
use smartbox_core::snapshot::Keep;
use smartbox_core::snapshot::record::{Drill, Record, Why};
use smartbox_core::time::Timestamp;

use crate::app::App;
use crate::http::page::{render, words};
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Lines of the list.
const LINES: usize = 100;
/// Jobs that are looked through for those about snapshots.
const JOBS: u32 = 20;
/// How long the end of a job is told.
const TOLD: Duration = Duration::from_mins(10);

#[derive(Template)]
#[template(path = "snapshots.html")]
struct Page {
    name: String,
    late: bool,
    fresh: String,
    objective: String,
    trouble: Option<String>,
    proven: Option<Proof>,
    failed: Option<Proof>,
    storage: String,
    keep: String,
    jobs: Vec<Line>,
    rows: Vec<Row>,
    more: usize,
}

struct Proof {
    when: String,
    generation: u64,
    took: String,
    note: String,
}

struct Line {
    state: String,
    what: &'static str,
    note: String,
}

struct Row {
    generation: u64,
    when: String,
    why: &'static str,
    files: u64,
    size: String,
    verified: bool,
}

pub(super) async fn show(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Result<Html<String>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let now = app.clock.now();
    let found = app.control.archive(&row.id).await?;
    let filter = Filter {
        account: Some(row.account.clone()),
        smartbox: Some(row.id),
        limit: JOBS,
        ..Filter::default()
    };
    let jobs = app.control.jobs(filter).await?;
    let archive = found.archive;
    let failed = archive.drill.filter(|drill| !drill.passed);
    let rows = found.generations.iter().rev().take(LINES).map(|one| line(now, one));
    Ok(render::page(&Page {
        name: row.name,
        late: found.late,
        fresh: match (found.generations.last(), found.fresh) {
            (None, _) => "There is no snapshot yet".to_owned(),
            (_, Some(at)) => format!("Everything was in a snapshot {}", words::ago(now, at)),
            (Some(newest), None) => format!("The newest is of {}", words::ago(now, newest.taken)),
        },
        objective: words::span(found.objective),
        trouble: archive.trouble.map(|trouble| trouble.message),
        proven: archive.proven.map(|drill| proof(now, drill)),
        failed: failed.map(|drill| proof(now, drill)),
        storage: app.control.snapshot_storage(),
        keep: kept(found.keep),
        jobs: jobs.into_iter().filter_map(|job| told(now, job)).collect(),
        more: found.generations.len().saturating_sub(LINES),
        rows: rows.collect(),
    }))
}

fn line(now: Timestamp, one: &Record) -> Row {
    Row {
        generation: one.generation.0,
        when: words::ago(now, one.taken),
        why: why(one.why),
        files: one.files,
        size: words::bytes(one.bytes),
        verified: one.verified.is_some(),
    }
}

fn why(why: Why) -> &'static str {
    match why {
        Why::Change => "something changed",
        Why::Sleep => "before it slept",
        Why::Restart => "before a restart",
        Why::Upgrade => "before an upgrade",
        Why::Restore => "before it went back",
        Why::Removal => "before it was removed",
        Why::Asked => "asked for",
        Why::Import => "moved in",
    }
}

fn proof(now: Timestamp, drill: Drill) -> Proof {
    Proof {
        when: words::ago(now, drill.at),
        generation: drill.generation.0,
        took: words::span(Duration::from_millis(drill.took_ms)),
        note: drill.note,
    }
}

/// `the last 24, 48 hours, 30 days`.
fn kept(keep: Keep) -> String {
    let mut words = vec![format!("the last {}", keep.last.max(1))];
    let of = [
        (keep.hourly, "hours"),
        (keep.daily, "days"),
        (keep.weekly, "weeks"),
        (keep.monthly, "months"),
    ];
    words.extend(
        of.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("one of each of {n} {unit}")),
    );
    format!("Kept are {}.", words.join(", "))
}

/// A job about snapshots that goes on, or has ended just now.
fn told(now: Timestamp, job: Job) -> Option<Line> {
    let what = match job.kind.as_str() {
        "snapshot.take" => "Taking one",
        "snapshot.restore" => "Going back",
        "snapshot.fork" => "Making a new smartbox",
        "snapshot.verify" => "Reading back",
        "snapshot.prune" => "Removing old ones",
        "snapshot.drill" => "Proving a restore",
        _ => return None,
    };
    if job.finished.is_some_and(|at| now.since(at) > TOLD) {
        return None;
    }
    let going = if job.state.is_final() { String::new() } else { job.progress.note };
    let note = job.failure.map_or(going, |failure| failure.detail);
    Some(Line { state: job.state.to_string(), what, note })
}
