//! `smartbox bulk`: one thing done to many smartboxes.

mod config_patch;
mod restart;
mod select;

use crate::client::Client;
use crate::error::CliError;

/// Does one thing to many smartboxes, as a job.
///
/// The command tells how it goes and ends with the job; without it (Ctrl-C, `--detach`) the job goes
/// on, and `smartbox jobs` shows, pauses and cancels it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Restart(restart::Args),
    ConfigPatch(config_patch::Args),
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Restart(args) => restart::run(client, args).await,
        Verb::ConfigPatch(args) => config_patch::run(client, args).await,
    }
}
