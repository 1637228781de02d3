//! `smartbox snapshot verify`.

use smartbox_api::call;
use smartbox_api::snapshot::{Generation, Verify};

use super::{Of, Waiting, job};
use crate::client::Client;
use crate::error::CliError;

/// Reads snapshots back, every byte, and compares them with what was written
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: Of,
    /// Only this generation; all of them if absent
    generation: Option<u64>,
    #[command(flatten)]
    how: Waiting,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let which = Verify { generation: args.generation.map(Generation) };
    job(client, call::verify_snapshots(&args.of.name, &which), &args.how).await
}
