//! `smartbox config rollback`.

use smartbox_api::call;
use smartbox_api::config::RollBack;

use super::tell;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Goes back to a revision of the configuration of a smartbox's engine
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX")]
    name: String,
    /// The revision, as `history` lists it
    revision: u64,
    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let to = RollBack { revision: args.revision };
    let changed = or_interrupt(client.json(call::roll_back_config(&args.name, to))).await?;
    tell::changed(&args.name, &changed, args.json)
}
