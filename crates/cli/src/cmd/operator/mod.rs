//! `smartbox operator`: keys with which programs run the installation.

mod key;

use crate::client::Client;
use crate::error::CliError;

/// Keys of operators, for programs that run the installation.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Key(key::Args),
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.noun {
        Noun::Key(args) => key::run(client, args).await,
    }
}
