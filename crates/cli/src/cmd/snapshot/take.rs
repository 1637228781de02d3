//! `smartbox snapshot take`.

use smartbox_api::call;

use super::{Of, Waiting, job};
use crate::client::Client;
use crate::error::CliError;

/// Takes a snapshot now; one is taken even if nothing has changed
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    how: Waiting,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    job(client, call::take_snapshot(&args.of.name), &args.how).await
}
