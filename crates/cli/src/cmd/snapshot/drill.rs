//! `smartbox snapshot drill`.

use smartbox_api::call;

use super::{Of, Waiting, job};
use crate::client::Client;
use crate::error::CliError;

/// Proves that the newest snapshot can be lived with.
///
/// It is restored into a scratch smartbox that reaches nothing, whose engine is started, examined and
/// asked one thing; then all of that is removed. It happens every week by itself.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    how: Waiting,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    job(client, call::drill_snapshots(&args.of.name), &args.how).await
}
