//! `smartbox kind`: what smartboxes are made from.

use smartbox_api::call;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, table};

/// Shows the kinds that smartboxes are made from.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Lists the kinds: those that ship, and your own in `kinds/` of the data directory
    Ls {
        /// Print an array as JSON, with files, settings, egress and tools of each
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let Verb::Ls { json } = args.verb;
    let kinds = or_interrupt(client.all(call::kinds)).await?;
    if json {
        return out::json(&kinds);
    }
    let row = |kind: &smartbox_api::kind::KindView| {
        let from = if kind.own { "own" } else { "shipped" };
        let tier = kind.tier.clone().unwrap_or_else(|| "default".into());
        let (name, base) = (kind.name.to_string(), kind.base.to_string());
        [name, base, from.into(), tier, kind.description.clone()]
    };
    let rows = kinds.iter().map(row).collect();
    out::say(table::table(["NAME", "BASE", "FROM", "TIER", "DESCRIPTION"], rows))
}
