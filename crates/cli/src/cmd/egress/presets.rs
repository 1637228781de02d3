//! `smartbox egress presets`.

use smartbox_api::call;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, table};

/// Lists the presets: hosts under a name
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print an array of presets as JSON, with the rules of each
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let presets = or_interrupt(client.all(call::egress_presets)).await?;
    if args.json {
        return out::json(&presets);
    }
    let rows = presets
        .into_iter()
        .map(|preset| [preset.name, preset.rules.len().to_string(), preset.description])
        .collect();
    out::say(table::table(["NAME", "RULES", "DESCRIPTION"], rows))
}
