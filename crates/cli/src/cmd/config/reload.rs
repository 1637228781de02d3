//! `smartbox config reload`.

use smartbox_api::call;

use super::tell::in_force;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Sees to it that a running engine goes by its configuration, by a restart if need be
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX")]
    name: String,
    /// Print how it stands as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let reloaded = or_interrupt(client.json(call::reload_config(&args.name))).await?;
    if args.json {
        return out::json(&reloaded);
    }
    out::say(format!("{}: {}", args.name, in_force(reloaded.applied)))
}
