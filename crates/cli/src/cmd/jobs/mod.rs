//! `smartbox jobs`: what the platform does in the background.

pub(crate) mod follow;
mod ls;
pub(crate) mod show;

use smartbox_api::call::{self, JobVerb};

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Shows and steers jobs: whatever takes longer than a command waits.
///
/// A job goes on without the command that began it, and through a restart of the platform. It is
/// remembered for a day after its end.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Ls(ls::Args),
    Show(show::Args),
    Follow(follow::Args),
    /// Stops a job for good
    Cancel(One),
    /// Lets a job wait until it is resumed
    Pause(One),
    /// Lets a paused job go on
    Resume(One),
    /// Forgets a job that is over
    Rm {
        /// The job
        #[arg(value_name = "JOB")]
        id: String,
    },
}

/// One job.
#[derive(Debug, clap::Args)]
pub(crate) struct One {
    /// The job, as `job_…`
    #[arg(value_name = "JOB")]
    pub(crate) id: String,
    /// Print the job as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Ls(args) => ls::run(client, args).await,
        Verb::Show(args) => show::run(client, args).await,
        Verb::Follow(args) => follow::run(client, args).await,
        Verb::Cancel(one) => ask(client, one, JobVerb::Cancel).await,
        Verb::Pause(one) => ask(client, one, JobVerb::Pause).await,
        Verb::Resume(one) => ask(client, one, JobVerb::Resume).await,
        Verb::Rm { id } => {
            or_interrupt(client.nothing(call::remove_job(id))).await?;
            out::say(format!("{id}: forgotten"))
        }
    }
}

async fn ask(client: &Client, one: &One, verb: JobVerb) -> Result<(), CliError> {
    let job = or_interrupt(client.json(call::ask_job(&one.id, verb))).await?;
    if one.json { out::json(&job) } else { out::say(show::line(&job)) }
}
