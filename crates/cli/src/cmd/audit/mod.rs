//! `smartbox audit`: who did what to which smartbox, from where, with which result.

mod export;
mod ls;
mod verify;

use crate::client::Client;
use crate::error::CliError;

/// Lists and exports the account's audit, and verifies an export without a platform.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Ls(ls::Args),
    Export(export::Args),
    Verify(verify::Args),
}

impl Args {
    /// What asks no platform.
    pub(crate) fn alone(&self) -> Option<Result<(), CliError>> {
        match &self.verb {
            Verb::Verify(args) => Some(verify::run(args)),
            _ => None,
        }
    }
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Ls(args) => ls::run(client, args).await,
        Verb::Export(args) => export::run(client, args).await,
        Verb::Verify(args) => verify::run(args),
    }
}
