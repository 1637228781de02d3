//! `smartbox snapshot prune`.

use smartbox_api::call;

use super::{Of, Waiting, job};
use crate::client::Client;
use crate::error::CliError;
use crate::ui::ask;
use crate::ui::interrupt::or_interrupt;

/// Removes the snapshots that are no longer to be kept, as happens every day by itself; asks first
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: Of,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    how: Waiting,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let name = &args.of.name;
    let archive = or_interrupt(client.json(call::archive(name))).await?;
    let question = format!("Remove all snapshots of {name} but {}?", archive.keep);
    if !args.yes && !ask::sure(&question, "--yes")? {
        return Err(CliError::here("nothing was removed", String::new()));
    }
    job(client, call::prune_snapshots(name), &args.how).await
}
