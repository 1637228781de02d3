//! `smartbox account show`.

use smartbox_api::call;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Shows an account.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name or id
    name: String,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let view = or_interrupt(client.json(call::account(&args.name))).await?;
    super::tell(&view, args.json)
}
