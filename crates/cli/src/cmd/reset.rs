//! `smartbox reset`.

use smartbox_api::call::Verb;

use super::act::{Target, act};
use crate::client::Client;
use crate::error::CliError;

/// Lets a smartbox that failed too often start again.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    act(client, &args.target, Verb::Reset, false).await
}
