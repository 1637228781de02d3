//! `smartbox jobs follow`: what a job says until its end, across broken connections.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::job::{Event, Happening, ItemView, JobView};
use tokio::time::Instant;

use super::One;
use super::show::{Whole, good, items, line, listed, progress};
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;
use crate::ui::phase::Teller;

/// How long a platform that went away in the middle is waited for.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two attempts to reach it.
const PAUSE: Duration = Duration::from_millis(250);

/// Tells what a job does until it is over; Ctrl-C leaves it running
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    one: One,
    /// Only what comes after the event with this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let job = or_interrupt(client.json(call::job(&args.one.id))).await?;
    to_its_end(client, &job, args.after, args.one.json).await
}

/// Follows a job and ends as it does. Events go to standard error, the end to standard output.
pub(crate) async fn to_its_end(
    client: &Client,
    job: &JobView,
    after: u64,
    json: bool,
) -> Result<(), CliError> {
    let mut teller = Teller::new(&job.kind);
    let followed = or_interrupt(follow(client, job.id.as_str(), after, &mut teller)).await;
    teller.hush();
    if let Err(error) = followed {
        if error.is_passing() || matches!(error, CliError::Interrupted(_)) {
            out::note(format!("\nThe job goes on; to see it: smartbox jobs follow {}", job.id));
        }
        return Err(error);
    }
    let job = or_interrupt(client.json(call::job(job.id.as_str()))).await?;
    let items = items(client, &job).await?;
    if json {
        out::json(&Whole { job: &job, items: &items })?;
    } else {
        tell(&job, &items)?;
    }
    // What there is to say was said.
    if good(&job, &items) { Ok(()) } else { Err(CliError::Said(1)) }
}

fn tell(job: &JobView, items: &[ItemView]) -> Result<(), CliError> {
    out::say(line(job))?;
    if let Some(failure) = job.failure.as_ref().filter(|failure| !failure.hint.is_empty()) {
        out::note(format!("hint: {}", out::tame(&failure.hint)));
    }
    if items.is_empty() { Ok(()) } else { out::say(listed(items)) }
}

/// Until the last event. Each is told once: a new connection begins after the last one seen.
async fn follow(
    client: &Client,
    id: &str,
    mut after: u64,
    teller: &mut Teller,
) -> Result<(), CliError> {
    let mut given_up = Instant::now() + PATIENCE;
    loop {
        match once(client, id, &mut after, teller).await {
            Ok(true) => return Ok(()),
            // The platform went down in an orderly way.
            Ok(false) => {}
            Err(error) if error.is_passing() && Instant::now() < given_up => {
                teller.tell("waiting for the platform to come back");
            }
            Err(error) => return Err(error),
        }
        let job = client.json(call::job(id)).await;
        match job {
            Ok(job) if job.state.is_final() => {}
            Ok(_) => given_up = Instant::now() + PATIENCE,
            Err(error) if error.is_passing() => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// One connection. Whether the job is over.
async fn once(
    client: &Client,
    id: &str,
    after: &mut u64,
    teller: &mut Teller,
) -> Result<bool, CliError> {
    let Some(mut events) = client.job_events(&call::follow_job(id, *after)).await? else {
        return Ok(true);
    };
    while let Some(event) = events.try_next().await? {
        *after = event.seq;
        show(&event, teller);
        if matches!(event.what, Happening::State { state } if state.is_final()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn show(event: &Event, teller: &mut Teller) {
    match &event.what {
        Happening::State { state } => teller.tell(state.as_str()),
        Happening::Progress(now) => {
            let note = if now.note.is_empty() { String::new() } else { format!(" ({})", now.note) };
            teller.tell(&format!("{}{note}", progress(now)));
        }
        Happening::Log { text } => {
            teller.hush();
            out::note(out::tame(text));
        }
        Happening::Truncated => {
            teller.hush();
            out::note("… it says more than is kept");
        }
    }
}
