//! `smartbox sleep`.

use smartbox_api::call::Verb;

use super::act::{Target, act};
use crate::client::Client;
use crate::error::CliError;

/// Lets a smartbox sleep now; it wakes on demand, and what its owner wishes stays as it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
    /// Stop it instead of freezing it: no memory is used, and waking is a whole boot
    #[arg(long)]
    deep: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    act(client, &args.target, Verb::Sleep, args.deep).await
}
