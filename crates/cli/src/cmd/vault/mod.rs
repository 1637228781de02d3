//! `smartbox vault`: the keys that secrets are sealed under.

mod rotate;
mod show;

use crate::client::Client;
use crate::error::CliError;

/// Shows and changes the keys that secrets are sealed under; for operators.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Show(show::Args),
    Rotate(rotate::Args),
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Show(args) => show::run(client, args).await,
        Verb::Rotate(args) => rotate::run(client, args).await,
    }
}
