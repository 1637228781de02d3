//! `smartbox tier`: how much of the machine a smartbox may use.

use smartbox_api::call;
use smartbox_api::tier::TierView;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, size, table};

/// Shows the tiers.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Lists the tiers: how much of the machine a smartbox of each may use
    Ls {
        /// Print an array as JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let Verb::Ls { json } = args.verb;
    let tiers = or_interrupt(client.all(call::tiers)).await?;
    if json {
        return out::json(&tiers);
    }
    let rows = tiers.iter().map(row).collect();
    out::say(table::table(["NAME", "CPU", "MEMORY", "PROCESSES", "DISK", ""], rows))
}

fn row(tier: &TierView) -> [String; 6] {
    let or_none = |n: u64, text: String| if n == 0 { "no limit".to_owned() } else { text };
    let (whole, tenths) = (tier.cpu_millis / 1000, tier.cpu_millis % 1000 / 100);
    [
        tier.name.clone(),
        or_none(tier.cpu_millis.into(), format!("{whole}.{tenths}")),
        or_none(tier.memory_bytes, size::bytes(tier.memory_bytes)),
        or_none(tier.pids.into(), tier.pids.to_string()),
        or_none(tier.disk_bytes, size::bytes(tier.disk_bytes)),
        if tier.default { "default".into() } else { String::new() },
    ]
}
