//! `smartbox jobs ls`.

use smartbox_api::call;
use smartbox_api::job::{JobQuery, JobState};
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use super::show::{note, progress};
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Lists jobs, newest first
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only those about this smartbox
    #[arg(long = "box", value_name = "BOX")]
    smartbox: Option<String>,
    /// Only those in this state: queued, running, paused, succeeded, failed or cancelled
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<JobState>,
    /// Only those of this kind, like bulk.restart
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Print an array of jobs as JSON
    #[arg(long)]
    json: bool,
}

fn state(text: &str) -> Result<JobState, String> {
    JobState::parse(text).ok_or_else(|| {
        let words: Vec<_> = JobState::ALL.iter().map(|state| state.as_str()).collect();
        format!("a job is {}", words.join(", "))
    })
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let jobs = client.all(|page| {
        call::jobs(&JobQuery {
            smartbox: args.smartbox.clone(),
            state: args.state,
            kind: args.kind.clone(),
            limit: page.limit,
            cursor: page.cursor.clone(),
        })
    });
    let jobs = or_interrupt(jobs).await?;
    if args.json {
        return out::json(&jobs);
    }
    if jobs.is_empty() {
        let all = args.smartbox.is_none() && args.state.is_none() && args.kind.is_none();
        return out::say(if all { "There are no jobs." } else { "There is no such job." });
    }
    let now = SystemClock.now();
    let rows = jobs
        .iter()
        .map(|job| {
            [
                job.id.to_string(),
                job.kind.clone(),
                job.state.to_string(),
                progress(&job.progress),
                format!("{} ago", age::ago(now, job.created)),
                note(job),
            ]
        })
        .collect();
    out::say(table::table(["JOB", "KIND", "STATE", "DONE", "CREATED", "NOTE"], rows))
}
