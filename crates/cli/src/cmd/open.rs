//! `smartbox open`.

use smartbox_api::call;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Prints a fresh sign-in link to a smartbox's pages; it works once, and not for long.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// Print the link as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let link = or_interrupt(client.json(call::link(&args.name))).await?;
    if args.json { out::json(&link) } else { out::say(&link.url) }
}
